//! Reprise from outside: what its users do, against the whole stack.

mod schedule;
