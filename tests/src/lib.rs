//! End-to-end tests of Reprise.
