//! Where the rules' errors get their codes for the answer's `errors`: in one place, for every resolver. What a person
//! can mend never comes here, except where a query was asked with it.

use std::sync::Arc;

use async_graphql::{
    ErrorExtensionValues, ServerError, ServerResult, Value, async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
};

use crate::kernel::{Caller, Code, Error, Language, message};

/// The extension. It stands inside of [`super::null_in_place::NullInPlace`], which takes the errors further.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorCodes;

impl ExtensionFactory for ErrorCodes {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for ErrorCodes {
    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        field: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        next.run(context, field).await.map_err(|error| {
            let language = context
                .data_opt::<Arc<Caller>>()
                .map_or_else(Language::default, |caller| caller.language());
            coded(error, language)
        })
    }
}

fn coded(mut error: ServerError, language: Language) -> ServerError {
    let Some(cause) = error.source::<Error>() else {
        return error;
    };
    let (code, said, extra): (_, _, Option<(&str, Value)>) = match cause {
        Error::Unauthenticated => ("UNAUTHENTICATED", None, None),
        Error::Forbidden(action) => ("FORBIDDEN", None, Some(("permission", Value::from(action.name())))),
        Error::SecondFactorRequired => (
            "SECOND_FACTOR_REQUIRED",
            Some(message::text(language, Code::SecondFactorDemanded.name(), &[])),
            None,
        ),
        Error::ConfirmationRequired => ("CONFIRMATION_REQUIRED", None, None),
        Error::Busy(seconds) => ("THROTTLED", None, Some(("retryAfter", Value::from(*seconds)))),
        Error::BadInput(text) => ("BAD_USER_INPUT", Some(text.clone()), None),
        Error::Problems(problems) => {
            let first = problems.first();
            let said = first.map(|problem| message::text(language, problem.code.name(), &problem.words));
            (
                "BAD_USER_INPUT",
                said,
                first.map(|problem| ("reason", Value::from(problem.code.name()))),
            )
        }
        Error::Internal(cause) => {
            // The answer layer hides this text and puts the request's ID in its place.
            tracing::error!(cause, "a request failed");
            return error;
        }
    };
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    if let Some((name, value)) = extra {
        extensions.set(name, value);
    }
    error.message = said.unwrap_or_else(|| message::text(language, code, &[]));
    error.extensions = Some(extensions);
    error
}
