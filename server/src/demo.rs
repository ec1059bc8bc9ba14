//! The built-in data set, loaded the way any other data are: through the API, by the client library.

use std::net::SocketAddr;

use indicator_client::{
    Client, catalog_file,
    import::{Import, Input, Options, Settings, mapping::Mapping, source},
    names::Names,
};
use indicator_proto::v1::{ApplyCatalogRequest, WriteContext, WriteMode};
use indicator_server::serve::config::DEFAULT_LISTEN;

const CATALOGS: [(&str, &str); 2] =
    [("regions.toml", include_str!("../data/regions.toml")), ("shandong.toml", include_str!("../data/shandong.toml"))];
const FIGURES: (&str, &str) = ("shandong.csv", include_str!("../data/shandong.csv"));

/// What is in the built-in data set, and where it came to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded {
    /// Catalog entries.
    pub(crate) entries: usize,
    /// Figures.
    pub(crate) figures: u64,
}

/// Loads the built-in data set into the server at an address.
pub(crate) async fn load(address: SocketAddr) -> anyhow::Result<Loaded> {
    let client = Client::connect_lazy(&format!("http://{address}"))?;
    let context = Some(WriteContext {
        actor: "indicatord demo".into(),
        reason: "the built-in data set".into(),
        document_uri: String::new(),
    });
    let mut actions = Vec::new();
    for (name, text) in CATALOGS {
        actions.extend(catalog_file::parse(name, text)?);
    }
    let entries = actions.len();
    client.apply_catalog(ApplyCatalogRequest { actions, context: context.clone(), ..ApplyCatalogRequest::default() }).await?;
    let (name, text) = FIGURES;
    let input = Input {
        text: source::from_bytes(name.into(), text.into(), None, None)?,
        mapping: Mapping::default(),
        directory: ".".into(),
    };
    let options = Options { mode: WriteMode::Merge, create_missing: false, include_changes: false };
    let mut import = Import::prepare(vec![input], Names::load(&client).await?, options)?;
    let summary = import.run(&client, &Settings { context, ..Settings::default() }, |_| {}).await?;
    Ok(Loaded { entries, figures: summary.inserted })
}

/// What a newcomer may try.
pub(crate) fn invitation(address: SocketAddr, loaded: Loaded) -> String {
    let Loaded { entries, figures } = loaded;
    let server = if address == DEFAULT_LISTEN { String::new() } else { format!("  export INDICATOR_SERVER=http://{address}\n") };
    format!(
        "indicatord serves {figures} figures and {entries} catalog entries on {address}, from a store that vanishes with it.\n\
         In a browser: http://{address}/\n\n\
         In another terminal:\n\n{server}  \
         indicator get 5g-base-stations 山东\n  \
         indicator query --region CN-SD\n  \
         indicator watch --region CN-SD\n  \
         indicator live 山东\n  \
         indicator put 5g-base-stations CN-SD 2022-12-31 '>150000' --source local-media --reason 'a newer report'\n  \
         indicator history 5g-base-stations Shandong\n\n\
         Stop it with Ctrl-C.\n"
    )
}
