//! The command line as a whole: what is the same for every command.

use clap::{
    Args, Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{commands::Command, context::Format, server::Chosen};
use indicator_proto::words::Language;

/// Statistical indicators of regions: read, write and watch figures that keep their meaning
#[derive(Debug, Parser)]
#[command(name = "indicator", version, max_term_width = 100, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) server: Chosen,
    /// How to write the answer: table, json (one object), ndjson (a line an item) or csv
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) output: Format,
    /// Language of names and words: en or zh [default: that of LANG]
    #[arg(long, global = true, value_parser = language(), value_name = "LANGUAGE", hide_possible_values = true)]
    pub(crate) lang: Option<Language>,
}

/// Reads the tag of a language.
fn language() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::ALL.map(Language::tag)).map(|tag| Language::of_locale(&tag))
}

const AFTER_HELP: &str = "\
Examples:
  indicator get 5g-base-stations Shandong
  indicator query --indicator 5g-base-stations --region 中国 --subregions -o csv
  indicator put data-centers CN-SD 2021-12-06 204 --source local-media
  indicator watch --region CN-SD

Names are taken in any language of the catalog: ids, codes, names and other spellings.
Data go to standard output, everything else to standard error. NO_COLOR turns colours off.

Exit codes:
  0  done
  1  failed: the server answered with an error, or a file could not be read
  2  the command line is not right
  3  there is no such figure, series or entry
  4  the server cannot be reached or does not answer
  5  the input was rejected; what was rejected has not been written
  6  the series has changed since --expect-revision";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_is_as_agreed() {
        // What a change of this page changes is an interface: commands, options and exit codes are in scripts.
        let help = Cli::command().term_width(100).render_help().to_string();
        insta::assert_snapshot!(help, @r"
        Statistical indicators of regions: read, write and watch figures that keep their meaning

        Usage: indicator [OPTIONS] <COMMAND>

        Commands:
          get            Print one figure with everything known of it
          query          List the figures that a selection of indicators, regions, sources and periods has
          put            Write one figure
          delete         Withdraw a figure, or all of a series; their history stays
          import         Write the figures of data files
          replay         Write the figures of data files as a stream, period by period or edition by edition
          export         Print figures as the tidy CSV that import takes
          search         Find indicators, regions, sources, units and dimensions by name
          catalog        Read and write the catalog: regions, sources, units, dimensions, indicators
          rank           Put regions in order of a figure, or follow how they move
          rollup         Make figures of regions into one of the region above them
          compare        Print regions by indicators as one table
          discrepancies  List the cells of which sources say what cannot all be true
          milestones     Tell when figures crossed thresholds, for certain or perhaps
          history        Print every version that a figure had
          log            Print the commits: who changed what, when and why
          watch          Print changes as they happen
          live           Show figures on the terminal as they change
          compact        Let replays of changes begin later; figures and their history stay
          backup         Write the record, or what was added to it, into a file
          verify         Compare the store with its log
          status         Print how the service is
          completions    Print the completion script of a shell
          help           Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help
          -V, --version  Print version

        Global options:
              --server <URL>       Address of the server [default: http://127.0.0.1:7430] [env:
                                   INDICATOR_SERVER]
              --token-file <FILE>  File with the token that says who you are; INDICATOR_TOKEN may hold the
                                   token itself [env: INDICATOR_TOKEN_FILE]
              --ca <FILE>          Authorities that sign the server's certificate, in PEM form [default:
                                   those that this machine trusts] [env: INDICATOR_CA]
              --cert <FILE>        Certificate that says who you are, in PEM form [env: INDICATOR_CERT]
              --key <FILE>         Private key of that certificate [env: INDICATOR_KEY]
              --context <NAME>     Take what is not given from this table of
                                   ~/.config/indicator/contexts.toml [default: the one named there as
                                   default] [env: INDICATOR_CONTEXT]
          -o, --output <FORMAT>    How to write the answer: table, json (one object), ndjson (a line an
                                   item) or csv [default: table]
              --lang <LANGUAGE>    Language of names and words: en or zh [default: that of LANG]

        Examples:
          indicator get 5g-base-stations Shandong
          indicator query --indicator 5g-base-stations --region 中国 --subregions -o csv
          indicator put data-centers CN-SD 2021-12-06 204 --source local-media
          indicator watch --region CN-SD

        Names are taken in any language of the catalog: ids, codes, names and other spellings.
        Data go to standard output, everything else to standard error. NO_COLOR turns colours off.

        Exit codes:
          0  done
          1  failed: the server answered with an error, or a file could not be read
          2  the command line is not right
          3  there is no such figure, series or entry
          4  the server cannot be reached or does not answer
          5  the input was rejected; what was rejected has not been written
          6  the series has changed since --expect-revision
        ");
    }

    #[test]
    fn every_command_has_a_summary_and_an_example() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has a summary");
            let leaves: Vec<_> = command.get_subcommands().collect();
            for leaf in if leaves.is_empty() { vec![command] } else { leaves } {
                let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("indicator "), "{name} {} has an example", leaf.get_name());
            }
        }
    }
}
