//! What a user sees of definitions: fixtures as files, the seeds key by key, and arbitrary text.
