//! The one error of the rules. What a person can mend travels as problems, with code, path and extras, and ends in a
//! payload's `userErrors`; the rest ends in the answer's `errors` with a code. `api/errors.rs` is the only place that
//! decides which.

use std::{fmt, panic::Location};

use sea_orm::{DbErr, SqlErr};

use super::{MemberId, action::Action, message::Word, scalar::Timestamp};

/// What everything in the rules answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, Clone)]
pub enum Error {
    /// The caller's user can mend it: all that is wrong, at once.
    Problems(Vec<Problem>),
    /// The caller has to sign in.
    Unauthenticated,
    /// The caller's role does not allow it.
    Forbidden(Action),
    /// The caller has to enroll a second factor before anything else.
    SecondFactorRequired,
    /// The caller has to confirm his password: the last time is more than five minutes ago.
    ConfirmationRequired,
    /// An argument of a query makes no sense; the text is for developers.
    BadInput(String),
    /// Too many at once; try again after this many seconds.
    Busy(u32),
    /// The store of files does not answer; nothing was changed, and it may do better in a while.
    StorageUnavailable,
    /// The service or its database failed. The text is for the log only, never for an answer.
    Internal(String),
    /// The database failed while it committed: whether the deed is there is not known. Told as [`Error::Internal`] is.
    Uncertain(String),
}

/// One thing that a person can mend.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What is wrong.
    pub code: Code,
    /// The path of the argument at fault, from the mutation's argument down; `None` where it is no one argument's.
    pub field: Option<Vec<String>>,
    /// What the message speaks of, by name.
    pub words: Vec<(&'static str, Word)>,
    /// When it becomes possible, where time alone mends it.
    pub available_at: Option<Timestamp>,
    /// Who has it, where it is somebody's already.
    pub holder: Option<MemberId>,
}

impl Problem {
    /// A problem with the argument at `path`, such as `input.name` or `input.items.0.userCount`.
    pub fn at(path: &str, code: Code) -> Self {
        let field = Some(path.split('.').map(str::to_owned).collect());
        Self {
            code,
            field,
            words: Vec::new(),
            available_at: None,
            holder: None,
        }
    }

    /// A problem that is no one argument's.
    pub fn of(code: Code) -> Self {
        Self {
            code,
            field: None,
            words: Vec::new(),
            available_at: None,
            holder: None,
        }
    }

    /// Gives the message a word to speak of.
    #[must_use]
    pub fn with(mut self, name: &'static str, word: impl fmt::Display) -> Self {
        self.words.push((name, Word::Same(word.to_string())));
        self
    }

    /// Gives the message a name to speak of that each language has a word of its own for.
    #[must_use]
    pub fn with_label(mut self, name: &'static str, korean: &'static str, english: &'static str) -> Self {
        self.words.push((name, Word::Own { korean, english }));
        self
    }

    /// Says who has it.
    #[must_use]
    pub fn held_by(mut self, member: MemberId) -> Self {
        self.holder = Some(member);
        self
    }

    /// Says when it becomes possible.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Self {
        self.available_at = Some(at);
        self
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl Error {
    /// A thing that is absent, or another organization's: nobody may tell which.
    pub fn not_found(path: &str) -> Self {
        Problem::at(path, Code::NotFound).into()
    }

    /// A fault of ours, with the place in the code where it was noticed.
    #[track_caller]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(format!("{cause} (at {})", Location::caller()))
    }

    /// Why a row was not taken in: what only one can have is somebody's already, or a fault of ours.
    #[track_caller]
    pub(super) fn of_insert(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Problem::of(Code::Taken).into(),
            _ => Self::from(error),
        }
    }

    /// Whether the service or its database failed, and not whoever asked: who is told to come again was not failed.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::Uncertain(_))
    }

    /// Fails with all `problems`, or goes on where there is none.
    ///
    /// # Errors
    /// The problems.
    pub fn unless_none(problems: Vec<Problem>) -> Result<()> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self::Problems(problems))
        }
    }
}

impl From<DbErr> for Error {
    #[track_caller]
    fn from(error: DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(_) => Self::Busy(1),
            other => Self::internal(other),
        }
    }
}

impl From<serde_json::Error> for Error {
    #[track_caller]
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => {
                let codes: Vec<_> = problems.iter().map(|problem| problem.code.name()).collect();
                f.write_str(&codes.join(", "))
            }
            Self::Unauthenticated => f.write_str("not signed in"),
            Self::Forbidden(action) => write!(f, "{} is not allowed", action.name()),
            Self::SecondFactorRequired => f.write_str("a second factor must be enrolled"),
            Self::ConfirmationRequired => f.write_str("the password must be confirmed"),
            Self::BadInput(text) => f.write_str(text),
            Self::Busy(_) => f.write_str("busy"),
            Self::StorageUnavailable => f.write_str("the store of files does not answer"),
            Self::Internal(_) | Self::Uncertain(_) => f.write_str("internal error"),
        }
    }
}

impl std::error::Error for Error {}

macro_rules! codes {
    ($($name:ident = $text:literal,)*) => {
        /// What can be wrong with what a person asked for. The texts, in Korean and English, are in `messages/`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[expect(missing_docs, reason = "each code is described where an area publishes it")]
        pub enum Code { $($name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as clients see it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    NotFound = "NOT_FOUND",
    StaleVersion = "STALE_VERSION",
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
    IdempotencyKeyInvalid = "IDEMPOTENCY_KEY_INVALID",
    Blank = "BLANK",
    TooShort = "TOO_SHORT",
    TooLong = "TOO_LONG",
    Invalid = "INVALID",
    OutOfRange = "OUT_OF_RANGE",
    TooMany = "TOO_MANY",
    Duplicate = "DUPLICATE",
    FileTooLarge = "FILE_TOO_LARGE",
    PictureTypeRefused = "PICTURE_TYPE_REFUSED",
    PictureTooLarge = "PICTURE_TOO_LARGE",
    PictureAnimated = "PICTURE_ANIMATED",
    PictureBroken = "PICTURE_BROKEN",
    PictureQuotaReached = "PICTURE_QUOTA_REACHED",
    Taken = "TAKEN",
    Reserved = "RESERVED",
    UnknownTimeZone = "UNKNOWN_TIME_ZONE",
    UnknownLanguage = "UNKNOWN_LANGUAGE",
    NotAvailableForKind = "NOT_AVAILABLE_FOR_KIND",
    LimitReached = "LIMIT_REACHED",
    OwnerRequired = "OWNER_REQUIRED",
    CredentialsRefused = "CREDENTIALS_REFUSED",
    SignInBlocked = "SIGN_IN_BLOCKED",
    RefreshTokenRefused = "REFRESH_TOKEN_REFUSED",
    SecondFactorRequired = "SECOND_FACTOR_REQUIRED",
    SecondFactorRefused = "SECOND_FACTOR_REFUSED",
    SecondFactorActive = "SECOND_FACTOR_ACTIVE",
    SecondFactorAbsent = "SECOND_FACTOR_ABSENT",
    SecondFactorDemanded = "SECOND_FACTOR_DEMANDED",
    PasswordTooCommon = "PASSWORD_TOO_COMMON",
    PasswordUnchanged = "PASSWORD_UNCHANGED",
    LinkRefused = "LINK_REFUSED",
    InvitationNotPending = "INVITATION_NOT_PENDING",
    ResendTooSoon = "RESEND_TOO_SOON",
    MailLimitReached = "MAIL_LIMIT_REACHED",
    AlreadyMember = "ALREADY_MEMBER",
    AlreadyInvited = "ALREADY_INVITED",
    AlreadyAdministrator = "ALREADY_ADMINISTRATOR",
    NotAdministrator = "NOT_ADMINISTRATOR",
    NotOneself = "NOT_ONESELF",
    AboveOwnRank = "ABOVE_OWN_RANK",
    LastAdministrator = "LAST_ADMINISTRATOR",
    OwnerStays = "OWNER_STAYS",
    MemberLeft = "MEMBER_LEFT",
    AlreadyAgent = "ALREADY_AGENT",
    ChannelNotContracted = "CHANNEL_NOT_CONTRACTED",
    RightNotForRole = "RIGHT_NOT_FOR_ROLE",
    RightNeedsChannel = "RIGHT_NEEDS_CHANNEL",
    TokenRefused = "TOKEN_REFUSED",
    LastKey = "LAST_KEY",
    TargetNotAllowed = "TARGET_NOT_ALLOWED",
    DeliveryPending = "DELIVERY_PENDING",
    KeyNotLive = "KEY_NOT_LIVE",
    AddressLocksOut = "ADDRESS_LOCKS_OUT",
    AddressNotAllowed = "ADDRESS_NOT_ALLOWED",
    ServiceNotInUse = "SERVICE_NOT_IN_USE",
    ServiceStillActive = "SERVICE_STILL_ACTIVE",
    ServiceNotSuspended = "SERVICE_NOT_SUSPENDED",
    ServiceTerminated = "SERVICE_TERMINATED",
    AcknowledgementRequired = "ACKNOWLEDGEMENT_REQUIRED",
    ContractNotCompleted = "CONTRACT_NOT_COMPLETED",
    ContractAlreadySigned = "CONTRACT_ALREADY_SIGNED",
    ContractAlreadyChangedToday = "CONTRACT_ALREADY_CHANGED_TODAY",
    ContractEnded = "CONTRACT_ENDED",
    ContractItemFixed = "CONTRACT_ITEM_FIXED",
    ContractItemNotAvailable = "CONTRACT_ITEM_NOT_AVAILABLE",
    ContractItemDependency = "CONTRACT_ITEM_DEPENDENCY",
    ContractItemNeedsApproval = "CONTRACT_ITEM_NEEDS_APPROVAL",
    UserCountRequired = "USER_COUNT_REQUIRED",
    UserCountNotAllowed = "USER_COUNT_NOT_ALLOWED",
    QuoteExpired = "QUOTE_EXPIRED",
    QuoteMismatch = "QUOTE_MISMATCH",
    QuotePriceMoved = "QUOTE_PRICE_MOVED",
    CompanyInUse = "COMPANY_IN_USE",
    FileNotWorkbook = "FILE_NOT_WORKBOOK",
    FileDamaged = "FILE_DAMAGED",
    SheetNotFound = "SHEET_NOT_FOUND",
    ColumnNotFound = "COLUMN_NOT_FOUND",
    ColumnTwice = "COLUMN_TWICE",
    CellNotText = "CELL_NOT_TEXT",
    CellFormula = "CELL_FORMULA",
    CtiNotContracted = "CTI_NOT_CONTRACTED",
    CtiVersionNotApproved = "CTI_VERSION_NOT_APPROVED",
    CtiFieldRequired = "CTI_FIELD_REQUIRED",
    CtiIdTaken = "CTI_ID_TAKEN",
    CtiNoTaken = "CTI_NO_TAKEN",
    CtiPairRequired = "CTI_PAIR_REQUIRED",
    AgentHasNoPhoneRight = "AGENT_HAS_NO_PHONE_RIGHT",
    NetworkTooWide = "NETWORK_TOO_WIDE",
    EmailDiffers = "EMAIL_DIFFERS",
    NoServiceRole = "NO_SERVICE_ROLE",
    PiiGrantExists = "PII_GRANT_EXISTS",
    PiiGrantEnded = "PII_GRANT_ENDED",
    PiiNoGrant = "PII_NO_GRANT",
    PiiOutOfScope = "PII_OUT_OF_SCOPE",
    PiiAddressNotAllowed = "PII_ADDRESS_NOT_ALLOWED",
    MaskedValue = "MASKED_VALUE",
    ForwardRightRequired = "FORWARD_RIGHT_REQUIRED",
    NotForType = "NOT_FOR_TYPE",
    FieldIsFixed = "FIELD_IS_FIXED",
    FieldsDiffer = "FIELDS_DIFFER",
    EventInFuture = "EVENT_IN_FUTURE",
    EventTooOld = "EVENT_TOO_OLD",
    EventConflict = "EVENT_CONFLICT",
    FileOtherFormat = "FILE_OTHER_FORMAT",
    FileHasPassword = "FILE_HAS_PASSWORD",
    FileHasMacros = "FILE_HAS_MACROS",
    FileHasLinks = "FILE_HAS_LINKS",
    FileInflates = "FILE_INFLATES",
    FileTooComplex = "FILE_TOO_COMPLEX",
    FileNotChecked = "FILE_NOT_CHECKED",
    TemplateUnknown = "TEMPLATE_UNKNOWN",
    TemplateOutdated = "TEMPLATE_OUTDATED",
    ColumnUnknown = "COLUMN_UNKNOWN",
    RowsAbsent = "ROWS_ABSENT",
    RowsTooMany = "ROWS_TOO_MANY",
    ColumnsTooMany = "COLUMNS_TOO_MANY",
    CellError = "CELL_ERROR",
    CellMerged = "CELL_MERGED",
    OptionUnknown = "OPTION_UNKNOWN",
    AssigneeUnknown = "ASSIGNEE_UNKNOWN",
    AssigneeNotAllowed = "ASSIGNEE_NOT_ALLOWED",
    TimeInFuture = "TIME_IN_FUTURE",
    TimeBeforeReceived = "TIME_BEFORE_RECEIVED",
    FieldGone = "FIELD_GONE",
    CautionsNotAgreed = "CAUTIONS_NOT_AGREED",
    ImportNotChecked = "IMPORT_NOT_CHECKED",
    ImportHasProblems = "IMPORT_HAS_PROBLEMS",
    ImportExpired = "IMPORT_EXPIRED",
    ImportNotReserved = "IMPORT_NOT_RESERVED",
    ImportRepeated = "IMPORT_REPEATED",
    ImportGivenUp = "IMPORT_GIVEN_UP",
    ImportNotDone = "IMPORT_NOT_DONE",
    ImportUndoTooLate = "IMPORT_UNDO_TOO_LATE",
    ImportWithoutConfirmer = "IMPORT_WITHOUT_CONFIRMER",
    RowRefused = "ROW_REFUSED",
    ReasonRequired = "REASON_REQUIRED",
    ColumnNotOfList = "COLUMN_NOT_OF_LIST",
    UnmaskNotPermitted = "UNMASK_NOT_PERMITTED",
    ExtractionTooLarge = "EXTRACTION_TOO_LARGE",
    ExtractionSpanTooWide = "EXTRACTION_SPAN_TOO_WIDE",
    ExtractionExpired = "EXTRACTION_EXPIRED",
    ExtractionSpent = "EXTRACTION_SPENT",
    ExtractionRightLost = "EXTRACTION_RIGHT_LOST",
    ExtractionGivenUp = "EXTRACTION_GIVEN_UP",
    UsageNotContracted = "USAGE_NOT_CONTRACTED",
    UsageInFuture = "USAGE_IN_FUTURE",
    UsageTooOld = "USAGE_TOO_OLD",
    UsageConflict = "USAGE_CONFLICT",
}
