//! The foot of a help center, as anybody reads it.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use crate::{
    company::{
        Content,
        content::{Terms, TermsKind},
        footer::{self, Device},
    },
    kernel::{Caller, Result},
    picture::Shown,
};

/// What a help center shows at its foot, in one language.
#[derive(Debug, SimpleObject)]
pub struct HelpCenterFooter {
    /// The language: the one asked for, or else the help center's main one, or else the first that there is.
    pub language: String,
    /// 상호.
    pub company_name: String,
    /// 대표자.
    pub representative_name: String,
    /// 주소.
    pub address: String,
    /// 사업자등록번호, written `NNN-NN-NNNNN`; null where it is not said.
    pub business_registration_number: Option<String>,
    /// 통신판매업 신고번호; null where it is not said.
    pub mail_order_report_number: Option<String>,
    /// 대표번호; null where it is not said.
    pub phone: Option<String>,
    /// 팩스; null where it is not said.
    pub fax: Option<String>,
    /// The e-mail address; null where it is not said.
    pub email: Option<String>,
    /// 개인정보 보호책임자; null where it is not said.
    pub privacy_officer: Option<String>,
    /// 호스팅 제공자; null where it is not said.
    pub hosting_provider: Option<String>,
    /// 상표 및 저작권, plain text; null where it is not said.
    pub copyright: Option<String>,
    /// 로고·상표 이미지; null where there is none.
    pub logo: Option<Shown>,
    /// 이용 약관, in their order, at most 10.
    pub terms: Vec<HelpCenterTerms>,
}

/// Terms, as a help center links or shows them.
#[derive(Debug, SimpleObject)]
pub struct HelpCenterTerms {
    /// What they are about.
    pub kind: TermsKind,
    /// The language that they are in.
    pub language: String,
    /// What they are called.
    pub name: String,
    /// Where they stand; null where `body` says it.
    pub url: Option<String>,
    /// What they say, as HTML without anything that runs or loads; null where `url` leads to it.
    pub body: Option<String>,
    /// Whether a link to them opens a window of its own.
    pub opens_in_new_window: bool,
}

/// What anybody may read of company information.
#[derive(Debug, Default)]
pub struct PublicQuery;

#[Object]
impl PublicQuery {
    /// What a help center shows at its foot; null where there is no such help center, it is not in use, or it shows nothing there. An answer of nothing else may be kept for a minute.
    async fn help_center_footer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The organization's domain, such as `demo`.")] organization: String,
        #[graphql(desc = "The service's code.")] service: String,
        #[graphql(desc = "What the help center is looked at with.")] device: Device,
        #[graphql(desc = "The language; the help center's main one where absent.")] language: Option<String>,
    ) -> Result<Option<HelpCenterFooter>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let shown = footer::read(caller, &organization, &service, device).await?;
        Ok(shown.and_then(|shown| said(shown.content, &[language, shown.main_language])))
    }
}

/// The content in the first of these languages that it has.
fn said(content: Content, wanted: &[Option<String>]) -> Option<HelpCenterFooter> {
    let text = best(&content.texts, wanted, |text| &text.language)?.clone();
    let terms = content.terms.iter().filter_map(|terms| in_language(terms, wanted));
    Some(HelpCenterFooter {
        terms: terms.collect(),
        language: text.language,
        company_name: text.company_name,
        representative_name: text.representative_name,
        address: text.address,
        privacy_officer: text.privacy_officer,
        hosting_provider: text.hosting_provider,
        copyright: text.copyright,
        business_registration_number: content.business_registration_number,
        mail_order_report_number: content.mail_order_report_number,
        phone: content.phone,
        fax: content.fax,
        email: content.email,
        logo: content.logo,
    })
}

fn in_language(terms: &Terms, wanted: &[Option<String>]) -> Option<HelpCenterTerms> {
    let text = best(&terms.texts, wanted, |text| &text.language)?.clone();
    Some(HelpCenterTerms {
        kind: terms.kind,
        language: text.language,
        name: text.name,
        url: text.url,
        body: text.body,
        opens_in_new_window: terms.opens_in_new_window,
    })
}

fn best<'t, T>(texts: &'t [T], wanted: &[Option<String>], language: impl Fn(&T) -> &String) -> Option<&'t T> {
    let named = wanted.iter().flatten();
    let mut found = named.filter_map(|wanted| texts.iter().find(|text| language(text) == wanted));
    found.next().or_else(|| texts.first())
}
