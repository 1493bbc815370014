//! The corpus of workbooks.
