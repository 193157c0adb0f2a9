//! Single files that commands write where they are told to.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use crate::run::OutputFolder;

/// Writes a file whose folder may not be there yet.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<(), Box<dyn Error>> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|_| !path.is_dir()) else {
        return Err(format!("{}: this is no name of a file to write", path.display()).into());
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = OutputFolder::create(folder.unwrap_or(Path::new(".")))?;
    Ok(folder.write(name, |file| file.write_all(content))?)
}
