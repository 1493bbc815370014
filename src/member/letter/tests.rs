//! What the letters say.
