//! What the customers of the demo asked for in the last weeks: tickets of each service, by the people who work there.

use chrono::Duration;

use super::people::{find, signed_in};
use crate::{
    kernel::{Action, App, Caller, OrganizationId, Result, Timestamp},
    service::Service,
    ticket::{self, Channel, Priority, Status, TicketCreateInput, TicketValueInput},
};

/// How many tickets each service has.
const TICKETS: i64 = 30;

/// Who looks after tickets.
const PEOPLE: [&str; 3] = ["agent.jung", "agent.kang", "agent.yoon"];

/// What is asked for: subject, content, and what came of it.
const ASKED: [(&str, &str, &str); 6] = [
    (
        "배송이 늦어지고 있습니다",
        "주문한 지 일주일이 지났는데 아직 도착하지 않았습니다.",
        "택배사에 확인하고 도착 예정일을 안내했습니다.",
    ),
    (
        "교환을 신청합니다",
        "받은 상품의 색상이 주문한 것과 다릅니다.",
        "교환 상품을 발송하고 회수를 접수했습니다.",
    ),
    (
        "환불은 언제 되나요",
        "반품한 상품의 환불 예정일을 알고 싶습니다.",
        "환불 처리를 마치고 입금일을 안내했습니다.",
    ),
    (
        "설치 일정을 바꾸고 싶습니다",
        "방문 설치를 다음 주로 옮길 수 있을까요?",
        "설치 기사와 협의해 일정을 변경했습니다.",
    ),
    (
        "제품에서 소리가 납니다",
        "어제부터 작동할 때 큰 소리가 납니다.",
        "점검 방문을 예약했습니다.",
    ),
    (
        "회원 정보를 고치고 싶습니다",
        "전화번호가 바뀌어 회원 정보를 고치려고 합니다.",
        "본인 확인 후 회원 정보를 수정했습니다.",
    ),
];

/// Adds the tickets, spread over the last weeks.
///
/// # Errors
/// If the database fails.
pub(super) async fn ask(app: &App, organization: OrganizationId, services: &[Service]) -> Result<()> {
    let operator = Caller::operator(app.clone(), organization);
    let mut staff = Vec::new();
    for login in PEOPLE {
        let member = find(&operator, login).await?;
        staff.push((member.id, signed_in(app, organization, login).await?));
    }
    for (place, service) in services.iter().enumerate() {
        for number in 0..TICKETS {
            let random = |below: u64| usize::try_from(app.random.below(below)).unwrap_or(0);
            let (member, agent) = &staff[random(staff.len() as u64)];
            let ago =
                Duration::hours((TICKETS - number) * 37) + Duration::minutes(i64::try_from(random(1_800)).unwrap_or(0));
            let status = [Status::New, Status::Open, Status::Reply, Status::Solved, Status::Closed][random(5)];
            let (subject, content, done) = ASKED[random(ASKED.len() as u64)];
            let input = TicketCreateInput {
                idempotency_key: None,
                dry_run: None,
                service_id: service.id.to_string().into(),
                channel: Some(
                    [
                        Channel::Web,
                        Channel::MobileWeb,
                        Channel::Email,
                        Channel::Phone,
                        Channel::Chat,
                    ][random(5)],
                ),
                status: Some(status),
                priority: Some(
                    [
                        Priority::Low,
                        Priority::Normal,
                        Priority::Normal,
                        Priority::High,
                        Priority::Urgent,
                    ][random(5)],
                ),
                assignee_id: (status != Status::New).then(|| member.to_string().into()),
                received_at: Some(Timestamp(agent.now().0 - ago)),
                processing: status.is_done().then(|| done.to_owned()),
                external_reference: None,
                values: values(app, place, (subject, content)),
            };
            let deed = async |tx: &_| ticket::create(tx, &input).await;
            agent.act(Action::TicketCreate, &input, deed).await?;
        }
    }
    Ok(())
}

/// The values of a ticket in the service at this place.
fn values(app: &App, place: usize, (subject, content): (&str, &str)) -> Vec<TicketValueInput> {
    let random = &app.random;
    let digits = || format!("{:04}", random.below(10_000));
    let customer = random.below(900) + 100;
    let mut values = vec![
        text("category", "기타".to_owned()),
        text("mail", format!("customer{customer}@example.com")),
        text("subject", subject.to_owned()),
        text("content", content.to_owned()),
        text("phone", format!("010-{}-{}", digits(), digits())),
        TicketValueInput {
            code: "personalAgree".to_owned(),
            text: None,
            options: None,
            is_agreed: Some(true),
        },
    ];
    if place < 2 {
        values.push(text("orderNumber", format!("A-{}{}", digits(), digits())));
    }
    match place {
        0 => {
            let product = ["정수기", "공기청정기", "비데"][usize::try_from(random.below(3)).unwrap_or(0)];
            values.push(text("product", product.to_owned()));
            values.push(text(
                "address",
                format!("서울시 강남구 테헤란로 {}", random.below(500) + 1),
            ));
        }
        1 => values.push(text(
            "refundBank",
            format!("110-{}-{}", random.below(900) + 100, digits()),
        )),
        _ => {}
    }
    values
}

fn text(code: &str, text: String) -> TicketValueInput {
    TicketValueInput {
        code: code.to_owned(),
        text: Some(text),
        options: None,
        is_agreed: None,
    }
}
