//! Failures as values.

use std::{fmt, time::Duration};

/// What a plugin's functions return.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a call did not answer. The host knows from the variant whether trying again can help.
///
/// Messages are lowercase fragments without a full stop that name the thing and, where there is one, the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The configuration is well-formed, but makes no sense to the extension. Never retried.
    InvalidConfig(String),
    /// The input cannot be worked on. Never retried.
    InvalidInput(String),
    /// The extension, or a model it asked, produced something that does not fit. Never retried.
    InvalidOutput(String),
    /// Something that is needed cannot be reached at the moment. Retried.
    Unavailable(String),
    /// There were too many requests. Retried, not before `retry_after` where it is known.
    RateLimited {
        /// What limited the rate.
        message: String,
        /// How long to wait, where it is known.
        retry_after: Option<Duration>,
    },
    /// The host asked to stop. Never retried within a run.
    Cancelled(String),
    /// A limit on time, memory, calls, tokens or money was reached. Never retried within a run.
    OverBudget(String),
    /// The extension itself is at fault. Never retried.
    Internal(String),
}

/// The variant of a [`Failure`], without its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// See [`Failure::InvalidConfig`].
    InvalidConfig,
    /// See [`Failure::InvalidInput`].
    InvalidInput,
    /// See [`Failure::InvalidOutput`].
    InvalidOutput,
    /// See [`Failure::Unavailable`].
    Unavailable,
    /// See [`Failure::RateLimited`].
    RateLimited,
    /// See [`Failure::Cancelled`].
    Cancelled,
    /// See [`Failure::OverBudget`].
    OverBudget,
    /// See [`Failure::Internal`].
    Internal,
}

impl FailureKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 8] = [
        Self::InvalidConfig,
        Self::InvalidInput,
        Self::InvalidOutput,
        Self::Unavailable,
        Self::RateLimited,
        Self::Cancelled,
        Self::OverBudget,
        Self::Internal,
    ];

    /// The name used in the contract and on the record, such as `invalid-input`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid-config",
            Self::InvalidInput => "invalid-input",
            Self::InvalidOutput => "invalid-output",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate-limited",
            Self::Cancelled => "cancelled",
            Self::OverBudget => "over-budget",
            Self::Internal => "internal",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::RateLimited)
    }
}

impl Failure {
    /// A failure of this kind; a rate limit without a known delay.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let message = message.into();
        match kind {
            FailureKind::InvalidConfig => Self::InvalidConfig(message),
            FailureKind::InvalidInput => Self::InvalidInput(message),
            FailureKind::InvalidOutput => Self::InvalidOutput(message),
            FailureKind::Unavailable => Self::Unavailable(message),
            FailureKind::RateLimited => Self::RateLimited { message, retry_after: None },
            FailureKind::Cancelled => Self::Cancelled(message),
            FailureKind::OverBudget => Self::OverBudget(message),
            FailureKind::Internal => Self::Internal(message),
        }
    }

    /// The variant.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        match self {
            Self::InvalidConfig(_) => FailureKind::InvalidConfig,
            Self::InvalidInput(_) => FailureKind::InvalidInput,
            Self::InvalidOutput(_) => FailureKind::InvalidOutput,
            Self::Unavailable(_) => FailureKind::Unavailable,
            Self::RateLimited { .. } => FailureKind::RateLimited,
            Self::Cancelled(_) => FailureKind::Cancelled,
            Self::OverBudget(_) => FailureKind::OverBudget,
            Self::Internal(_) => FailureKind::Internal,
        }
    }

    /// What went wrong, without the kind.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidConfig(message)
            | Self::InvalidInput(message)
            | Self::InvalidOutput(message)
            | Self::Unavailable(message)
            | Self::RateLimited { message, .. }
            | Self::Cancelled(message)
            | Self::OverBudget(message)
            | Self::Internal(message) => message,
        }
    }

    /// How long to wait before trying again, where it is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The message of a caught panic, as a failure that names the operation.
    #[must_use]
    pub fn from_panic(operation: &str, payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Self::Internal(format!("panicked in {operation}: {message}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind().name(), self.message())
    }
}

impl std::error::Error for Failure {}
