//! What the API says of accounts: oneself, passwords and second factors.

pub mod own;
pub mod password;
pub mod second_factor;

pub use own::OwnMutation;
pub use password::{PasswordMutation, PasswordQuery};
pub use second_factor::SecondFactorMutation;

use crate::kernel::payload::user_errors;

user_errors! { AccountUserError, AccountErrorCode, "an account, its password or its second factor", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// Another member has the e-mail address.
    Taken,
    /// The password that should hold now is not right.
    CredentialsRefused,
    /// There were too many attempts; `availableAt` says when the next one is taken.
    SignInBlocked,
    /// Everybody thinks of this password first, or it says no more than what others know of the member.
    PasswordTooCommon,
    /// The new password is the one that holds now.
    PasswordUnchanged,
    /// The link is unknown, has expired, was used, or was replaced by a newer one.
    LinkRefused,
    /// A code of the second factor is needed.
    SecondFactorRequired,
    /// The code is not right, or was used before.
    SecondFactorRefused,
    /// A second factor is in use already.
    SecondFactorActive,
    /// No second factor is in use; or, to be proved, none is enrolled.
    SecondFactorAbsent,
    /// The organization demands a second factor, or the password has fewer than 15 characters.
    SecondFactorDemanded,
    /// Nobody can do this to himself.
    NotOneself,
    /// This takes a role that the caller does not have.
    AboveOwnRank,
    /// The member has left the organization.
    MemberLeft,
} }
