//! `indicatord token`: makes, lists and revokes credentials. The server notices by itself.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, TableStyle};
use indicator_server::{
    access::{Credential, CredentialFile, Proof, Role, State, Token},
    serve::{config, tls},
    store,
};
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

/// How long a credential is good if that is not said.
const USUAL_DAYS: i64 = 90;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a credential; its token is shown once, on standard output
    #[command(after_help = "\
Examples:
  indicatord token create --data DIR --role reader --name display-wall --expires never
  indicatord token create --data DIR --role writer --source sd-big-data-bureau --expires 90d
  indicatord token create --data DIR --role admin --name gu --certificate gu.pem")]
    Create(Create),
    /// List credentials
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Take credentials back; calls and streams made with them end within seconds
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Ids, or names of which all credentials are meant
        #[arg(required = true, value_name = "ID|NAME")]
        which: Vec<String>,
    },
}

/// Which server's credentials.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Directory of the store
    #[arg(long, env = "INDICATORD_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Settings file of the server, which names the directory
    #[arg(long, env = "INDICATORD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    place: Place,
    /// What it is for; every role may read
    #[arg(long, value_enum)]
    role: Role,
    /// Source that a writer may write figures of; to be repeated
    #[arg(long = "source", value_name = "ID")]
    sources: Vec<String>,
    /// The actor of what is written with it [default: the first source, or the role]
    #[arg(long)]
    name: Option<String>,
    /// How long it is good, as 90d or 12h, or until when, as 2027-06-30, or "never" [default: 90d]
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Option<Expiry>,
    /// Recognise the client with this TLS certificate, in PEM form, instead of one with a token
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
enum Expiry {
    Never,
    At(Timestamp),
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(args) => create(args),
        Command::List { place } => list(&place.file()?),
        Command::Revoke { place, which } => revoke(&place.file()?, &which),
    }
}

impl Place {
    fn file(&self) -> anyhow::Result<CredentialFile> {
        let directory = config::data_directory(self.data.clone(), self.config.as_deref())?;
        store::prepare(&directory)?;
        Ok(CredentialFile::of(&directory))
    }
}

/// A time from which on something is no longer good.
fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    let now = Timestamp::now().to_zoned_datetime(TimeZone::UTC);
    let end = if let Ok(date) = text.parse::<Date>() {
        date.to_zoned_datetime(TimeZone::UTC).map_err(|error| error.to_string())?
    } else {
        let span: Span = text.parse().map_err(|_| "write a time span like 90d or 12h, a date like 2027-06-30, or never")?;
        now.checked_add(span).map_err(|error| error.to_string())?
    };
    if end <= now { Err("this is in the past".to_owned()) } else { Ok(Expiry::At(end.timestamp())) }
}

fn create(args: Create) -> anyhow::Result<()> {
    let sources: BTreeSet<String> = args.sources.iter().cloned().collect();
    match (args.role, sources.is_empty()) {
        (Role::Writer, true) => bail!("a writer writes figures of named sources: give --source ID, once for each"),
        (Role::Writer, false) | (_, true) => {}
        (role, false) => bail!("--source is for writers; what the role {} may do does not depend on sources", role.name()),
    }
    for source in &sources {
        indicator_proto::check_slug(source).with_context(|| format!("--source {source:?}"))?;
    }
    let name = args.name.unwrap_or_else(|| sources.first().cloned().unwrap_or_else(|| args.role.name().to_owned()));
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        bail!("--name must have 1 to 200 bytes and no control characters");
    }
    let token = Token::new()?;
    let proof = match &args.certificate {
        Some(path) => Proof::Certificate(tls::fingerprint_of(path)?),
        None => Proof::Token(token.hash().to_hex().to_string()),
    };
    let usual = || Ok(Expiry::At(Timestamp::now().checked_add(Span::new().try_hours(24 * USUAL_DAYS)?)?));
    let expires_at = match args.expires.map_or_else(usual, Ok::<_, jiff::Error>)? {
        Expiry::Never => None,
        Expiry::At(end) => Some(end),
    };
    let credential = Credential {
        id: token.id().to_owned(),
        name,
        role: args.role,
        sources,
        proof,
        created_at: Timestamp::now(),
        expires_at,
        revoked_at: None,
    };
    let told = format!("{} {} ({}), {}", credential.role.name(), credential.name, credential.id, until(&credential));
    let clash = args.place.file()?.change(|all| {
        let taken = all.iter().find(|known| known.proof == credential.proof && known.revoked_at.is_none());
        let taken = taken.map(|known| known.id.clone());
        if taken.is_none() {
            all.push(credential);
        }
        taken
    })?;
    if let Some(id) = clash {
        bail!("this certificate is that of credential {id} already; revoke it first");
    }
    if args.certificate.is_none() {
        writeln!(io::stdout(), "{}", token.reveal())?;
        writeln!(io::stderr(), "made {told}; keep the token, it is not shown again")?;
    } else {
        writeln!(io::stderr(), "made {told}, for the client with this certificate")?;
    }
    Ok(())
}

fn until(credential: &Credential) -> String {
    credential.expires_at.map_or_else(|| "never expires".to_owned(), |end| format!("expires {}", minute(end)))
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn list(file: &CredentialFile) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["ID", "NAME", "ROLE", "SOURCES", "PROOF", "CREATED", "EXPIRES", "STATE"]);
    table.add_rows(file.read()?.iter().map(|credential| {
        let sources: Vec<&str> = credential.sources.iter().map(String::as_str).collect();
        let proof = match &credential.proof {
            Proof::Token(_) => "token".to_owned(),
            Proof::Certificate(print) => format!("certificate {}", print.get(..16).unwrap_or(print)),
        };
        let state = match credential.state(now) {
            State::Active => "active".to_owned(),
            State::Expired => "expired".to_owned(),
            State::Revoked => credential.revoked_at.map_or_else(String::new, |time| format!("revoked {}", minute(time))),
        };
        [
            credential.id.clone(),
            credential.name.clone(),
            credential.role.name().to_owned(),
            sources.join(","),
            proof,
            minute(credential.created_at),
            credential.expires_at.map_or_else(|| "never".to_owned(), minute),
            state,
        ]
    }));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    Ok(writeln!(io::stdout(), "{}", table.trim_fmt())?)
}

fn revoke(file: &CredentialFile, which: &[String]) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let (revoked, unknown) = file.change(|all| {
        let is_meant = |credential: &Credential, text: &str| credential.id == text || credential.name == text;
        let unknown: Vec<String> =
            which.iter().filter(|text| !all.iter().any(|credential| is_meant(credential, text))).cloned().collect();
        let mut revoked = Vec::new();
        if unknown.is_empty() {
            let meant = all.iter_mut().filter(|credential| which.iter().any(|text| is_meant(credential, text)));
            for credential in meant.filter(|credential| credential.revoked_at.is_none()) {
                credential.revoked_at = Some(now);
                revoked.push(format!("{} ({})", credential.name, credential.id));
            }
        }
        (revoked, unknown)
    })?;
    if !unknown.is_empty() {
        bail!("there is no credential {}; nothing was revoked; see `indicatord token list`", unknown.join(", "));
    }
    let told = if revoked.is_empty() { "they were revoked before".to_owned() } else { format!("revoked {}", revoked.join(", ")) };
    Ok(writeln!(io::stderr(), "{told}")?)
}
