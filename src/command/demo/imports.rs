//! What the demo's owner has sent to be imported: the consultations of a year before Orgdesk, of which two rows have something
//! wrong. The server looks the file through when it starts.

use crate::{
    field,
    import::{self, ImportUploadInput, Template, columns},
    kernel::{Action, Caller, Language, Result, Upload},
    service::Service,
};

/// When it came, subject, name and phone of who asked.
const ROWS: [(&str, &str, &str, &str); 6] = [
    ("2019-03-04 10:12", "정수기 필터 교체 문의", "고객 1", "01020000001"),
    ("2019-03-04 11:40", "설치 일정 변경 요청", "고객 2", "01020000002"),
    ("2019-03-05 09:05", "누수 점검 요청", "고객 3", "01020000003"),
    ("2019-13-05 09:05", "반품 접수", "고객 4", "01020000004"),
    ("2019-03-06 15:30", "요금 문의", "고객 5", "01020000005"),
    ("2019-03-07 16:20", "", "고객 6", "01020000006"),
];

/// Sends the file, into the first service.
///
/// # Errors
/// If the database or the store fails.
pub(super) async fn send(owner: &Caller, services: &[Service]) -> Result<()> {
    let Some(service) = services.first() else { return Ok(()) };
    let view = owner.view(Action::ImportRead).await?;
    let fields = field::of_service(&view, service.id).await?;
    let fingerprint = field::composition_of(&view, service.id).await?.fingerprint;
    drop(view);
    owner.release().await;
    let row = |(number, (at, subject, name, phone)): (usize, &(&str, &str, &str, &str))| {
        let cells = [
            ("@receivedAt", *at),
            ("@processedAt", "2019-03-08 18:00"),
            ("@channel", "전화"),
            ("category", "기타"),
            ("mail", "customer@example.com"),
            ("subject", *subject),
            ("content", "이전 시스템에서 옮긴 상담입니다."),
            ("name", *name),
            ("phone", *phone),
            ("personalAgree", "Y"),
        ];
        let mut cells: Vec<_> = cells.map(|(code, said)| (code, said.to_owned())).into();
        cells.push(("@externalId", format!("OLD-{}", number + 1)));
        cells.retain(|(_, said)| !said.is_empty());
        cells
    };
    let template = Template {
        service: service.id.to_string(),
        fingerprint,
        issued_at: owner.now(),
        columns: columns(&fields, Language::Korean),
        language: Language::Korean,
        rows: ROWS.iter().enumerate().map(row).collect(),
    };
    let input = ImportUploadInput {
        idempotency_key: None,
        dry_run: None,
        service_id: service.id.to_string().into(),
        file: Upload::new("2019년 상담 이력.xlsx".to_owned(), Some(template.write()?.into())),
    };
    import::upload(owner, &input).await.map(drop)
}
