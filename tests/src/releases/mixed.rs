//! Functions of two releases side by side, as during a deployment or a rollback: each new environment of a function runs the
//! binary of one release or the other.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Rng;
use crate::World;

/// A directory of links to binaries. Each link points to the binary of one of two releases.
#[derive(Debug)]
pub struct Mixed {
    directory: tempfile::TempDir,
    releases: [PathBuf; 2],
    binaries: Vec<String>,
    rng: Rng,
    /// How often a link was changed to the other release.
    pub switches: usize,
}

impl Mixed {
    /// Mixes the binaries of two directories. A binary that the second one lacks is always taken from the first.
    ///
    /// # Panics
    /// When a directory cannot be read or links cannot be made.
    #[must_use]
    pub fn new(ours: &Path, theirs: &Path, seed: u64) -> Self {
        let names = std::fs::read_dir(ours).expect("our binaries").flatten().filter(|file| file.path().is_file());
        let binaries: Vec<String> = names.filter_map(|file| file.file_name().into_string().ok()).collect();
        let directory = tempfile::tempdir().expect("a directory");
        let releases = [ours, theirs].map(Path::to_path_buf);
        let mut mixed = Self { directory, releases, binaries, rng: Rng::new(seed), switches: 0 };
        for binary in mixed.binaries.clone() {
            mixed.choose(&binary);
        }
        mixed
    }

    /// The directory of the links.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Chooses the release of some functions again, and ends the environments of some functions. Environments that are not ended
    /// run side by side with new ones. The stack must be idle.
    ///
    /// # Panics
    /// When links cannot be made.
    pub async fn mix(&mut self, world: &World) {
        let functions: Vec<(String, String)> =
            world.stack.template().functions.iter().map(|it| (it.name.clone(), it.binary.clone())).collect();
        for (name, binary) in functions {
            if self.rng.below(3) == 0 {
                self.choose(&binary);
            }
            if self.rng.below(2) == 0 {
                world.stack.kill_environments(&name).await.expect("the function is there");
            }
        }
    }

    fn choose(&mut self, binary: &str) {
        let theirs = self.releases[1].join(binary);
        let is_theirs = self.rng.below(2) == 1 && theirs.is_file();
        let target = if is_theirs { theirs } else { self.releases[0].join(binary) };
        let link = self.directory.path().join(binary);
        if std::fs::read_link(&link).is_ok_and(|before| before == target) {
            return;
        }
        // The link is replaced atomically, as an environment may start at this moment.
        let fresh = self.directory.path().join(format!("{binary}.fresh"));
        symlink(&target, &fresh).expect("a link");
        std::fs::rename(&fresh, &link).expect("the link can be replaced");
        self.switches += 1;
    }
}
