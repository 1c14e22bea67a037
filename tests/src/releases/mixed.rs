//! Functions of two releases side by side, as while a deployment goes on or is rolled back: each new environment of a
//! function runs the binary of the one or of the other.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Dice;
use crate::World;

/// A directory of binaries, each a link to that of one of two releases.
#[derive(Debug)]
pub struct Mixed {
    directory: tempfile::TempDir,
    releases: [PathBuf; 2],
    binaries: Vec<String>,
    dice: Dice,
    /// How often a function was given the other binary.
    pub turns: usize,
}

impl Mixed {
    /// Mixes the binaries of two directories; what the second one lacks is always of the first.
    ///
    /// # Panics
    /// When a directory cannot be read or links cannot be made.
    #[must_use]
    pub fn new(ours: &Path, theirs: &Path, seed: u64) -> Self {
        let names = std::fs::read_dir(ours).expect("our binaries").flatten().filter(|file| file.path().is_file());
        let binaries: Vec<String> = names.filter_map(|file| file.file_name().into_string().ok()).collect();
        let directory = tempfile::tempdir().expect("a directory");
        let releases = [ours, theirs].map(Path::to_path_buf);
        let mut mixed = Self { directory, releases, binaries, dice: Dice::new(seed), turns: 0 };
        for binary in mixed.binaries.clone() {
            mixed.turn(&binary);
        }
        mixed
    }

    /// Where the binaries are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Gives some functions the binary of either release, and ends the environments of some others: those that live on
    /// run beside new ones. Nothing may be going on.
    ///
    /// # Panics
    /// When links cannot be made.
    pub async fn mix(&mut self, world: &World) {
        let functions: Vec<(String, String)> =
            world.stack.template().functions.iter().map(|it| (it.name.clone(), it.binary.clone())).collect();
        for (name, binary) in functions {
            if self.dice.roll(3) == 0 {
                self.turn(&binary);
            }
            if self.dice.roll(2) == 0 {
                world.stack.kill_environments(&name).await.expect("the function is there");
            }
        }
    }

    fn turn(&mut self, binary: &str) {
        let theirs = self.releases[1].join(binary);
        let is_theirs = self.dice.roll(2) == 1 && theirs.is_file();
        let target = if is_theirs { theirs } else { self.releases[0].join(binary) };
        let link = self.directory.path().join(binary);
        if std::fs::read_link(&link).is_ok_and(|before| before == target) {
            return;
        }
        // A link is replaced in one step: an environment may start at this moment.
        let fresh = self.directory.path().join(format!("{binary}.fresh"));
        symlink(&target, &fresh).expect("a link");
        std::fs::rename(&fresh, &link).expect("the link can be replaced");
        self.turns += 1;
    }
}
