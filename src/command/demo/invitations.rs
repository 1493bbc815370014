//! Three people whom the demo has invited and who have not come: what an open, an expired and a revoked invitation look
//! like.

use crate::{
    kernel::{Action, Caller, Result},
    member::invitation::{self, InvitationRevokeInput, MemberInviteInput},
    worker,
};

/// Who is invited, and when: months before now. The first is left to expire, the second's invitation is taken back, and
/// the last's waits.
const INVITED: [(i32, &str, &str); 3] = [
    (2, "agent.moon", "문상담"),
    (1, "agent.baek", "백채팅"),
    (0, "agent.seo", "서접수"),
];

/// Invites whoever is invited so many months before now; the letters of those before now are sent at once.
///
/// # Errors
/// If the database fails.
pub(super) async fn invite(owner: &Caller, months_ago: i32) -> Result<()> {
    for (_, login, name) in INVITED.iter().filter(|(months, ..)| *months == months_ago) {
        let input = MemberInviteInput {
            idempotency_key: None,
            dry_run: None,
            name: (*name).to_owned(),
            login: (*login).to_owned(),
            email: format!("{login}@demo.example"),
            language: None,
        };
        let deed = async |tx: &_| invitation::invite(tx, &input).await;
        let invited = owner.act(Action::MemberInvite, &input, deed).await?;
        if months_ago > 0 {
            worker::run_due(owner.app()).await?;
        }
        if months_ago == 1 {
            let input = InvitationRevokeInput {
                idempotency_key: None,
                dry_run: None,
                expected_version: invited.version,
            };
            let id = invited.id.to_string();
            let deed = async |tx: &_| invitation::revoke(tx, &id, &input).await;
            owner.act(Action::InvitationRevoke, &input, deed).await?;
        }
    }
    Ok(())
}
