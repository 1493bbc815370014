//! 이관: the night of an import.

/// The job's name. Its argument is the import.
pub const KIND: &str = "import-run";
