//! The shape of every mutation's answer: what it made, or why it did not. One place turns the rules' problems into
//! `userErrors` of an area's type, and lets everything else travel on to the answer's `errors`.

use super::{Error, Problem, Result};

/// Splits a deed's answer into what it made and what a person has to mend.
///
/// # Errors
/// What no person can mend.
pub fn settle<T>(result: Result<T>) -> Result<(Option<T>, Vec<Problem>)> {
    match result {
        Ok(outcome) => Ok((Some(outcome), Vec::new())),
        Err(Error::Problems(problems)) => Ok((None, problems)),
        Err(other) => Err(other),
    }
}

/// Writes an area's user error and the enumeration of its codes:
/// `user_errors! { ServiceUserError, ServiceErrorCode, "a service", { /// doc  Taken, … } }`. Resolvers of what an area
/// tells beside that follow in braces of their own; they read `self.problem`.
macro_rules! user_errors {
    ($error:ident, $code:ident, $what:literal, { $($(#[$doc:meta])* $name:ident,)* } $(, { $($extra:tt)* })?) => {
        #[doc = concat!("Why ", $what, " was not created or changed. More may be added.")]
        #[derive(Clone, Copy, PartialEq, Eq, Debug, async_graphql::Enum)]
        pub enum $code {
            $($(#[$doc])* $name,)*
            /// There is no such thing, or the caller may not know of it.
            NotFound,
            /// It has changed since `expectedVersion`.
            StaleVersion,
            /// The key was used with another input.
            IdempotencyKeyReused,
            /// An idempotency key has 1 to 64 visible ASCII characters.
            IdempotencyKeyInvalid,
        }

        impl TryFrom<$crate::kernel::Code> for $code {
            type Error = $crate::kernel::Error;
            fn try_from(code: $crate::kernel::Code) -> Result<Self, Self::Error> {
                match code {
                    $($crate::kernel::Code::$name => Ok(Self::$name),)*
                    $crate::kernel::Code::NotFound => Ok(Self::NotFound),
                    $crate::kernel::Code::StaleVersion => Ok(Self::StaleVersion),
                    $crate::kernel::Code::IdempotencyKeyReused => Ok(Self::IdempotencyKeyReused),
                    $crate::kernel::Code::IdempotencyKeyInvalid => Ok(Self::IdempotencyKeyInvalid),
                    other => Err($crate::kernel::Error::internal(format!("{} is no code of this area", other.name()))),
                }
            }
        }

        #[doc = concat!("Why ", $what, " was not created or changed.")]
        #[derive(Clone, PartialEq, Debug, async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub struct $error {
            /// What is wrong, for programs; it is the same in every language.
            pub code: $code,
            /// The path of the argument at fault, such as `["input", "name"]`, list places as numbers; null where it is no one argument's.
            pub field: Option<Vec<String>>,
            /// When it becomes possible; null where time does not mend it.
            pub available_at: Option<$crate::kernel::Timestamp>,
            #[graphql(skip)]
            problem: $crate::kernel::Problem,
        }

        #[async_graphql::ComplexObject]
        impl $error {
            /// What to tell the user, in the language of `Accept-Language`.
            pub async fn message(&self, context: &async_graphql::Context<'_>) -> String {
                let caller = context.data_opt::<std::sync::Arc<$crate::kernel::Caller>>();
                let language = caller.map_or_else(Default::default, |caller| caller.language());
                $crate::kernel::message::text(language, self.problem.code.name(), &self.problem.words)
            }

            $($($extra)*)?
        }

        impl $error {
            fn all(problems: Vec<$crate::kernel::Problem>) -> $crate::kernel::Result<Vec<Self>> {
                let one = |problem: $crate::kernel::Problem| Ok(Self {
                    code: problem.code.try_into()?,
                    field: problem.field.clone(),
                    available_at: problem.available_at,
                    problem,
                });
                problems.into_iter().map(one).collect()
            }
        }
    };
}

/// Writes a mutation's payload: `payload! { ServiceCreatePayload, "serviceCreate", ServiceUserError, { service: Service } }`.
/// Lists follow in braces of their own; they are empty where there is nothing.
macro_rules! payload {
    ($name:ident, $mutation:literal, $error:ident, { $($(#[$doc:meta])* $field:ident: $type:ty,)* }
        $(, { $($(#[$list_doc:meta])* $list:ident: $item:ty,)* })?) => {
        #[doc = concat!("What came of `", $mutation, "`.")]
        #[derive(Debug, async_graphql::SimpleObject)]
        pub struct $name {
            $($(#[$doc])* pub $field: Option<$type>,)*
            $($($(#[$list_doc])* pub $list: Vec<$item>,)*)?
            /// Why it was not done; empty where it was.
            pub user_errors: Vec<$error>,
        }
    };
}

/// Implements the door's questions for inputs that carry `idempotencyKey` and `dryRun`.
macro_rules! asks {
    ($($input:ty),* $(,)?) => {$(
        impl $crate::kernel::Ask for $input {
            fn idempotency_key(&self) -> Option<&str> {
                self.idempotency_key.as_deref()
            }

            fn is_dry_run(&self) -> bool {
                self.dry_run.unwrap_or(false)
            }
        }
    )*};
}

pub(crate) use {asks, payload, user_errors};
