//! The crates that cells use, read from disk for rust-analyzer: the cells' own crate, the library's sources, the
//! session's dependencies, and the standard library.

use std::path::{Path, PathBuf};

use ra_ap_base_db::SourceRoot;
use ra_ap_hir::ChangeWithProcMacros;
use ra_ap_ide::FileId;
use ra_ap_ide_db::FxHashMap;
use ra_ap_paths::{AbsPath, AbsPathBuf};
use ra_ap_project_model::{
    CargoConfig, PackageRoot, ProjectManifest, ProjectWorkspace, RustLibSource,
};
use ra_ap_vfs::file_set::FileSetConfig;
use ra_ap_vfs::{Change, Vfs, VfsPath};

use super::messages::CrateFiles;
use super::without_cargo;

/// What cells do not use of a crate.
const UNUSED_FOLDERS: [&str; 6] = [
    "alloctests",
    "benches",
    "coretests",
    "examples",
    "target",
    "tests",
];
/// The processors' own instructions, `std::arch`: a quarter of what has to be read of the standard library, in memory and
/// in time, and hardly ever used in a notebook.
const INTRINSICS: &str = "stdarch";

/// Files and where they came from. It goes to a thread of its own while crates are read.
pub(crate) struct Project {
    vfs: Vfs,
    folder: AbsPathBuf,
    toolchain: AbsPathBuf,
    /// Whether `std::arch` is read as well.
    has_intrinsics: bool,
    /// The file that is never read: it holds what [`super::document`] makes.
    pub(crate) source: FileId,
}

impl Project {
    /// A project whose own crate lies in `folder`, with the standard library of `toolchain`.
    pub(crate) fn new(folder: &Path, toolchain: &Path) -> Result<Self, String> {
        let folder = absolute(folder)?;
        let toolchain = absolute(toolchain)?;
        std::fs::create_dir_all(folder.join("src"))
            .and_then(|()| std::fs::write(folder.join("src/lib.rs"), ""))
            .map_err(|error| format!("cannot write to {folder}: {error}"))?;
        let mut vfs = Vfs::default();
        let path = VfsPath::from(folder.join("src/lib.rs"));
        vfs.set_file_contents(path.clone(), Some(Vec::new()));
        let (source, _) = vfs.file_id(&path).ok_or("the cells' file is missing")?;
        Ok(Self {
            vfs,
            folder,
            toolchain,
            has_intrinsics: false,
            source,
        })
    }

    /// Reads the crates that `files` name, and from now on `std::arch` when somebody uses it.
    pub(crate) fn load(
        &mut self,
        files: &CrateFiles,
        has_intrinsics: bool,
    ) -> Result<ChangeWithProcMacros, String> {
        self.has_intrinsics |= has_intrinsics;
        self.write(files)
            .map_err(|error| format!("cannot write to {}: {error}", self.folder))?;
        let workspace = self.workspace()?;
        let roots = workspace.to_roots();
        for root in &roots {
            self.read_root(root);
        }
        let mut change = ChangeWithProcMacros::default();
        for (id, file) in self.vfs.take_changes() {
            if let Change::Create(bytes, _) | Change::Modify(bytes, _) = file.change {
                change.change_file(id, String::from_utf8(bytes).ok());
            }
        }
        change.set_roots(self.source_roots(&roots));
        let vfs = &self.vfs;
        let mut find = |path: &AbsPath| vfs.file_id(&path.to_path_buf().into()).map(|(id, _)| id);
        let (graph, _) = workspace.to_crate_graph(&mut find, &FxHashMap::default());
        change.set_crate_graph(graph);
        Ok(change)
    }

    fn write(&self, files: &CrateFiles) -> std::io::Result<()> {
        std::fs::write(self.folder.join("Cargo.toml"), &files.manifest)?;
        let lock = self.folder.join("Cargo.lock");
        match &files.lock {
            Some(text) => std::fs::write(lock, text),
            None => std::fs::remove_file(lock).or(Ok(())),
        }
    }

    fn workspace(&self) -> Result<ProjectWorkspace, String> {
        let manifest = self.folder.join("Cargo.toml");
        let has_cargo = self.toolchain.join("bin/cargo");
        let has_cargo = AsRef::<Path>::as_ref(&has_cargo).is_file();
        let manifest = if has_cargo {
            manifest
        } else {
            self.describe(&manifest)?
        };
        let manifest =
            ProjectManifest::from_manifest_file(manifest).map_err(|error| error.to_string())?;
        let config = CargoConfig {
            sysroot: Some(RustLibSource::Path(self.toolchain.clone())),
            // The cells' own build has fetched everything.
            metadata_extra_args: vec!["--offline".to_owned()],
            ..CargoConfig::default()
        };
        ProjectWorkspace::load(manifest, &config, &|_| {}).map_err(|error| format!("{error:#}"))
    }

    /// Writes what cargo would say of the crates; where.
    fn describe(&self, manifest: &AbsPathBuf) -> Result<AbsPathBuf, String> {
        let project = without_cargo::project(manifest.as_ref(), self.toolchain.as_ref())?;
        let file = self.folder.join("rust-project.json");
        std::fs::write(&file, project.to_string())
            .map_err(|error| format!("cannot write {file}: {error}"))?;
        Ok(file)
    }

    fn read_root(&mut self, root: &PackageRoot) {
        let mut folders: Vec<PathBuf> = root
            .include
            .iter()
            .map(|path| path.clone().into())
            .collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if path.is_dir() {
                    let is_excluded = root
                        .exclude
                        .iter()
                        .any(|excluded| path == *AsRef::<Path>::as_ref(excluded));
                    if !is_excluded && !name.starts_with('.') && !self.is_unused(&name) {
                        folders.push(path);
                    }
                } else if name.ends_with(".rs")
                    && path.to_str() != Some(self.folder.join("src/lib.rs").as_str())
                {
                    self.read_file(&path);
                }
            }
        }
    }

    fn is_unused(&self, folder: &str) -> bool {
        UNUSED_FOLDERS.contains(&folder) || (folder == INTRINSICS && !self.has_intrinsics)
    }

    fn read_file(&mut self, path: &Path) {
        if let (Ok(bytes), Ok(path)) = (std::fs::read(path), absolute(path)) {
            self.vfs.set_file_contents(path.into(), Some(bytes));
        }
    }

    /// One set of files for each crate. All but the cells' own are taken for unchangeable, which spares rust-analyzer
    /// from looking at them again after every key; and nobody may use what is private there.
    fn source_roots(&self, roots: &[PackageRoot]) -> Vec<SourceRoot> {
        let mut sets = FileSetConfig::builder();
        for root in roots {
            sets.add_file_set(root.include.iter().cloned().map(VfsPath::from).collect());
        }
        sets.build()
            .partition(&self.vfs)
            .into_iter()
            .map(|files| {
                let is_own = files.iter().any(|file| file == self.source);
                if is_own {
                    SourceRoot::new_local(files)
                } else {
                    SourceRoot::new_library(files)
                }
            })
            .collect()
    }
}

fn absolute(path: &Path) -> Result<AbsPathBuf, String> {
    let text = path
        .to_str()
        .ok_or_else(|| format!("{} is not Unicode", path.display()))?;
    AbsPathBuf::try_from(text).map_err(|_| format!("{text} is no absolute path"))
}
