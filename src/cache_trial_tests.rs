//! Processes of two users at once, for tests of what they share.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Two users that nobody has; without root's rights the present one stands for both.
pub(crate) fn users() -> [u32; 2] {
    match swath_link::permissions::user() {
        0 => [12345, 12346],
        own => [own, own],
    }
}

/// The group of both.
const GROUP: u32 = 12347;

/// A place with a cache for a group, in which all may look around.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        // That of the tests' own user may be closed to others.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let place = Self(folder);
        chmod(place.0.path(), 0o755);
        std::fs::create_dir(place.cache()).unwrap();
        if swath_link::permissions::user() == 0 {
            chown(place.cache(), None, Some(GROUP)).unwrap();
        }
        chmod(&place.cache(), 0o2770);
        // The tests lie where their builder alone may look.
        let tests = std::env::current_exe().unwrap();
        let linked = std::fs::hard_link(&tests, place.program());
        if linked.is_err() {
            std::fs::copy(&tests, place.program()).unwrap();
        }
        place
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("tests")
    }

    /// A file of the first user's within the cache that nobody else can open.
    pub(crate) fn leave(&self, name: &str, bytes: &[u8]) {
        let path = self.cache().join(name);
        let owner = users()[0];
        for folder in path.parent().unwrap().ancestors() {
            if folder.exists() {
                break;
            }
            self.leave_folder(folder);
        }
        std::fs::write(&path, bytes).unwrap();
        chmod(&path, 0o600);
        chown(&path, Some(owner), None).unwrap();
    }

    fn leave_folder(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let way = folder.ancestors().take_while(|it| *it != self.cache());
        for folder in way {
            chown(folder, Some(users()[0]), None).unwrap();
            chmod(folder, 0o2770);
        }
    }

    /// Starts a test as both users in turn, with a mask that lets nobody else read anything.
    pub(crate) fn start(
        &self,
        test: &str,
        count: usize,
        environment: &[(&str, &str)],
    ) -> Vec<Child> {
        let python = ["/usr/bin/python3", "python3"]
            .into_iter()
            .find(|it| Path::new(it).exists());
        (0..count)
            .map(|number| {
                let mut command = Command::new(self.program());
                command
                    .args(["--exact", test, "--nocapture", "--test-threads", "1"])
                    .env("SWATH_TEST_CHILD", "1")
                    .env("SWATH_CACHE", self.cache())
                    .env("SWATH_PYTHON", python.unwrap_or("python3"))
                    .env("HOME", self.0.path())
                    .env_remove("TMPDIR")
                    .envs(environment.iter().copied())
                    .current_dir("/")
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                if swath_link::permissions::user() == 0 {
                    command.uid(users()[number % 2]).gid(GROUP);
                }
                // SAFETY: umask has no memory effects, and is safe between fork and exec.
                unsafe {
                    command.pre_exec(|| {
                        libc::umask(0o077);
                        Ok(())
                    });
                }
                command.spawn().unwrap()
            })
            .collect()
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Waits for all; meanwhile whatever is there under one of these names must be whole.
pub(crate) fn all_pass(children: Vec<Child>, whole: &[(PathBuf, Vec<u8>)]) {
    let mut children = children;
    let mut running = true;
    while running {
        for (path, bytes) in whole {
            if let Ok(found) = std::fs::read(path) {
                assert!(
                    found == *bytes,
                    "{path:?} has {} of {} bytes",
                    found.len(),
                    bytes.len()
                );
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        running = children
            .iter_mut()
            .any(|child| child.try_wait().unwrap().is_none());
    }
    for child in children {
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}{errors}"
        );
    }
    for (path, bytes) in whole {
        assert_eq!(std::fs::read(path).unwrap(), *bytes, "{path:?}");
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o660, "{path:?}: the group's, whatever the mask");
    }
}
