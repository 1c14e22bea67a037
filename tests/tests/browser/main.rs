//! The console in a real Chromium, against a stack of its own: what operators see, do and are told.

#![cfg(test)]

mod axe;
mod chrome;
mod console_log;
mod desk;
mod devtools;
mod page;
mod proxy;
mod seen;

mod demo_flow;
mod faults;
mod hostile;
mod jobs;
mod keyboard;
mod long;
mod looks;
mod modules;
mod orders;
mod quiet;
mod settings;
mod sign_in;
