//! Which server, and as whom: by flags, variables, or a context, which is a name for both.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use indicator_client::Client;
use serde::Deserialize;

/// Where the server is, and what to show it.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Server {
    /// Address of the server [default: http://127.0.0.1:7430]
    #[arg(long, global = true, env = "INDICATOR_SERVER", hide_env_values = true, value_name = "URL")]
    server: Option<String>,
    /// File with the token that says who you are; INDICATOR_TOKEN may hold the token itself
    #[arg(long, global = true, env = "INDICATOR_TOKEN_FILE", hide_env_values = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Authorities that sign the server's certificate, in PEM form [default: those that this machine trusts]
    #[arg(long, global = true, env = "INDICATOR_CA", hide_env_values = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate that says who you are, in PEM form
    #[arg(long, global = true, env = "INDICATOR_CERT", hide_env_values = true, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Private key of that certificate
    #[arg(long, global = true, env = "INDICATOR_KEY", hide_env_values = true, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// A name for a server.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Chosen {
    #[command(flatten)]
    server: Server,
    /// Take what is not given from this table of ~/.config/indicator/contexts.toml [default: the one named there as default]
    #[arg(long, global = true, env = "INDICATOR_CONTEXT", hide_env_values = true, value_name = "NAME")]
    context: Option<String>,
}

/// The file of contexts.
#[derive(Debug, Default, Deserialize)]
struct Contexts {
    default: Option<String>,
    #[serde(flatten)]
    servers: BTreeMap<String, Server>,
}

impl Chosen {
    /// The client for it.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let mut server = self.server.clone();
        if let Some((context, from)) = self.context()? {
            server = server.or(context.under(from.parent().unwrap_or(Path::new("."))));
        }
        server.client()
    }

    /// The context, and the file it is from. A server that is given is not mixed with what only a default says.
    fn context(&self) -> anyhow::Result<Option<(Server, PathBuf)>> {
        if self.context.is_none() && self.server.server.is_some() {
            return Ok(None);
        }
        let Some(path) = contexts_file() else { return Ok(None) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.context.is_none() => return Ok(None),
            Err(error) => return Err(anyhow!(error).context(format!("cannot read the contexts in {}", path.display()))),
        };
        let mut contexts: Contexts = toml::from_str(&text).with_context(|| format!("{} is wrong", path.display()))?;
        let Some(name) = self.context.clone().or(contexts.default) else { return Ok(None) };
        match contexts.servers.remove(&name) {
            Some(server) => Ok(Some((server, path))),
            None => {
                let known: Vec<String> = contexts.servers.into_keys().collect();
                bail!("there is no context {name:?} in {}; there is {}", path.display(), known.join(", "))
            }
        }
    }
}

fn contexts_file() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let directory = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(directory.join("indicator").join("contexts.toml"))
}

impl Server {
    fn or(self, other: Self) -> Self {
        // A pair stays together.
        let (cert, key) = if self.cert.is_some() { (self.cert, self.key) } else { (other.cert, other.key) };
        Self {
            server: self.server.or(other.server),
            token_file: self.token_file.or(other.token_file),
            ca: self.ca.or(other.ca),
            cert,
            key,
        }
    }

    /// With files that are named relative to a directory.
    fn under(self, directory: &Path) -> Self {
        let place = |path: Option<PathBuf>| path.map(|path| directory.join(path));
        Self {
            server: self.server,
            token_file: place(self.token_file),
            ca: place(self.ca),
            cert: place(self.cert),
            key: place(self.key),
        }
    }

    fn client(&self) -> anyhow::Result<Client> {
        let mut builder = Client::builder();
        if let Some(server) = &self.server {
            builder = builder.server(server);
        }
        if let Some(token) = self.token()? {
            builder = builder.token(&token)?;
        }
        if let Some(path) = &self.ca {
            builder = builder.certificate_authority(read(path)?);
        }
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => builder = builder.identity(read(cert)?, read(key)?),
            (None, None) => {}
            _ => bail!("--cert and --key belong together: give both"),
        }
        Ok(builder.connect_lazy()?)
    }

    fn token(&self) -> anyhow::Result<Option<String>> {
        if let Some(token) = env::var("INDICATOR_TOKEN").ok().filter(|token| !token.is_empty()) {
            return Ok(Some(token));
        }
        let Some(path) = &self.token_file else { return Ok(None) };
        let text = String::from_utf8(read(path)?).with_context(|| format!("{} is not text", path.display()))?;
        let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            // Standard error may be closed; there is no other place to say so.
            let _ = writeln!(io::stderr(), "warning: others can read {}; chmod 600 it", path.display());
        }
        Ok(Some(text))
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
