//! Small file systems that fill up, turn read-only, and lose their power. Mounting them needs root.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use tempfile::TempDir;

/// Runs a tool of the system, which must succeed.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn unmount(path: &Path) {
    let unmounted = Command::new("umount").arg(path).status();
    assert!(unmounted.is_ok_and(|status| status.success()) || thread::panicking(), "{} stays mounted", path.display());
}

/// Writes a file until the disk is full.
///
/// # Panics
///
/// If the file cannot be made.
#[must_use]
pub fn fill(directory: &Path) -> PathBuf {
    let path = directory.join("filler");
    let mut file = File::create(&path).unwrap();
    let block = vec![0; 1 << 20];
    while file.write_all(&block).is_ok() {}
    path
}

/// A small file system in memory; unmounted when dropped.
#[derive(Debug)]
pub struct MemoryDisk(TempDir);

impl MemoryDisk {
    /// One of a size like "64m".
    ///
    /// # Panics
    ///
    /// If it cannot be mounted.
    #[must_use]
    pub fn mount(size: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(directory.path()));
        Self(directory)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes it read-only; nobody may have a file open there to write.
    pub fn make_read_only(&self) {
        run(Command::new("mount").args(["-o", "remount,ro"]).arg(self.path()));
    }
}

impl Drop for MemoryDisk {
    fn drop(&mut self) {
        unmount(self.path());
    }
}

/// The size of an image: xfs takes no less than 300 MB. Its file is sparse.
const IMAGE_BYTES: u64 = 512 << 20;

/// Turns a file system off as a loss of power would, by FS_IOC_SHUTDOWN: what is not on the disk yet will never be, nor what the
/// journal has not written (FSOP_GOING_FLAGS_NOLOGFLUSH). Every call fails from then on.
const SHUTDOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

/// A file system with a journal, on a file; unmounted when dropped.
#[derive(Debug)]
pub struct LoopDisk {
    directory: TempDir,
}

impl LoopDisk {
    /// A new one: "ext4" or "xfs".
    ///
    /// # Panics
    ///
    /// If it cannot be made or mounted.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self::new_in(&std::env::temp_dir(), kind)
    }

    /// A new one whose file is below a directory: when that is full, it fails too.
    ///
    /// # Panics
    ///
    /// If it cannot be made or mounted.
    #[must_use]
    pub fn new_in(directory: &Path, kind: &str) -> Self {
        let directory = tempfile::tempdir_in(directory).unwrap();
        let disk = Self { directory };
        File::create(disk.image()).unwrap().set_len(IMAGE_BYTES).unwrap();
        let mut make = Command::new(format!("mkfs.{kind}"));
        if kind == "ext4" {
            // What it needs for itself it takes from below at once, so that a lack of room there meets files alone.
            make.args(["-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"]).env("UNIX_IO_NOZEROOUT", "1");
        }
        run(make.arg("-q").arg(disk.image()));
        fs::create_dir(disk.path()).unwrap();
        disk.mount();
        disk
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("mounted")
    }

    fn mount(&self) {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.path()));
    }

    /// As if the power went: what is not on the disk yet is lost.
    pub fn lose_power(&self) {
        run(Command::new("python3").args(["-c", SHUTDOWN]).arg(self.path()));
    }

    /// Mounts it again, as after a boot; nobody may use it.
    pub fn mount_again(&self) {
        unmount(&self.path());
        self.mount();
    }

    /// Has ext4 find an error, which turns it read-only under whoever uses it.
    ///
    /// # Panics
    ///
    /// If it is not ext4.
    pub fn fail(&self) {
        run(Command::new("mount").args(["-o", "remount,errors=remount-ro"]).arg(self.path()));
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let line = mounts.lines().find(|line| line.split(' ').nth(1) == self.path().to_str()).unwrap();
        let device = line.split(' ').next().unwrap().trim_start_matches("/dev/");
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1").unwrap();
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        unmount(&self.path());
    }
}
