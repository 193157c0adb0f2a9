//! The substrate that a scenario's network runs on: a chip file, entries of its own, or an external
//! program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::load::{LoadedScenario, Origin, Place, absolute, parse_error};
use super::locate::line_of;
use super::{Learner, Scenario, ScenarioError};
use crate::chip::{
    Activity, ChipModel, Datasheet, Exchange, ExternalSettings, ExternalSubstrate, HardwareAccount,
    HardwareClock, Substrate, WeightGrid, misfit,
};
use crate::learning::{EngineChoice, InTheLoop, SubstratePrior, Trainer};
use crate::network::Node;
use crate::settings::{Check, Settings};

/// Samples of a batch if the scenario does not train.
const EVALUATED: usize = 100;

/// A program that runs the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SubstrateSection {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs, and where relative paths of the command begin. Default: the folder of the file in
    /// which the command stands, or the working directory if it is from the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// How long it may take to answer. In seconds. Above 0, at most 1000000. Default: 60.
    #[serde(default = "a_minute")]
    pub timeout: f64,
    /// How it is spoken to.
    #[serde(default)]
    pub exchange: SubstrateExchange,
}

fn a_minute() -> f64 {
    ExternalSettings::DEFAULT_TIMEOUT.as_secs_f64()
}

/// How an external program is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubstrateExchange {
    /// Over its standard streams; it is started once.
    #[default]
    Streams,
    /// Through files in the run's folder; it is started for each batch.
    Files,
}

impl Settings for SubstrateSection {
    fn check(&self, check: &mut Check<'_>) {
        check.require(!self.command.is_empty(), "command", || "[] must name a program".to_owned());
        let (timeout, longest) = (self.timeout, ExternalSettings::LONGEST_TIMEOUT.as_secs_f64());
        check.require(timeout > 0.0 && timeout <= longest, "timeout", || {
            format!("{timeout} must be above 0 and at most {longest:e} (seconds)")
        });
    }
}

/// Reads the path of a chip file, or a table of a chip's entries.
pub(super) fn file_or_table<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Datasheet>, D::Error> {
    struct FileOrTable;

    impl<'de> Visitor<'de> for FileOrTable {
        type Value = Datasheet;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("the path of a chip file, or a table")
        }

        fn visit_str<E>(self, path: &str) -> Result<Datasheet, E> {
            Ok(Datasheet { base: Some(path.into()), ..Datasheet::default() })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Datasheet, A::Error> {
            Datasheet::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(FileOrTable).map(Some)
}

/// The schema of what [`file_or_table`] reads.
#[cfg(feature = "schema")]
pub(super) fn file_or_table_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    crate::settings::schema::text_or::<Datasheet>("", generator)
}

/// A path alone becomes a table, so that overrides can add to it.
pub(super) fn as_table(scenario: &mut toml::Table) {
    if let Some(chip) = scenario.get_mut("chip")
        && let toml::Value::String(path) = chip
    {
        let base = toml::Value::String(std::mem::take(path));
        *chip = toml::Value::Table(toml::Table::from_iter([("base".to_owned(), base)]));
    }
}

/// The chip file that a scenario's chip is based on.
#[derive(Clone, Debug)]
pub(super) struct Base {
    path: PathBuf,
    /// The path as it was given.
    shown: PathBuf,
    text: String,
    /// What the scenario itself says of the chip.
    own: toml::Table,
}

impl Base {
    /// What is wrong with the types or keys of the file.
    pub fn mistake(&self) -> Option<ScenarioError> {
        let sheet = toml::from_str::<Datasheet>(&self.text);
        sheet.err().map(|error| parse_error(&self.path, &error))
    }

    /// The chip file and the line in it, if the value of a scenario's key is from there; and its key there.
    pub fn place_of<'k>(&self, key: &'k str) -> Option<(Place, &'k str)> {
        let key = key.strip_prefix("chip.")?;
        if has(&self.own, key) {
            return None;
        }
        let line = line_of(&self.text, key)?;
        Some((Place::File { path: self.shown.clone(), line: Some(line) }, key))
    }
}

/// Puts a scenario's own entries for its chip over those of the chip file that they name as their base,
/// and returns that file.
pub(super) fn complete(
    scenario: &mut toml::Table,
    origin: &Origin,
) -> Result<Option<Base>, ScenarioError> {
    let Some(toml::Value::Table(chip)) = scenario.get_mut("chip") else { return Ok(None) };
    let Some(toml::Value::String(base)) = chip.get("base") else { return Ok(None) };
    let shown = origin.folder_of("chip.base").join(base);
    let path = absolute(&shown);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        origin.problem("chip", format!("cannot read chip file {}: {error}", path.display()))
    })?;
    let mut sheet: toml::Table =
        toml::from_str(&text).map_err(|error| parse_error(&path, &error))?;
    if sheet.contains_key("base") {
        let message = "a chip file that others are based on has no base of its own".to_owned();
        return Err(ScenarioError::Parse { path, message });
    }
    chip.remove("base");
    let own = std::mem::take(chip);
    merge(&mut sheet, own.clone());
    *chip = sheet;
    Ok(Some(Base { path, shown, text, own }))
}

/// Finds the file of measured neurons beside the file that names it.
pub(super) fn find_measured(scenario: &mut Scenario, base: Option<&Base>, origin: &Origin) {
    let chip = scenario.chip.as_mut();
    let Some(file) = chip.and_then(|chip| chip.neurons.measured.as_mut()) else { return };
    let folder = match base {
        Some(Base { path, own, .. }) if !has(own, "neurons.measured") => {
            path.parent().unwrap_or(Path::new(""))
        }
        _ => origin.folder_of("chip.neurons.measured"),
    };
    *file = absolute(&folder.join(&*file));
}

/// Whether a table has a value at a dotted key.
fn has(table: &toml::Table, key: &str) -> bool {
    match key.split_once('.') {
        None => table.contains_key(key),
        Some((first, rest)) => {
            table.get(first).and_then(toml::Value::as_table).is_some_and(|inner| has(inner, rest))
        }
    }
}

/// Puts the entries of a table over those of another.
fn merge(table: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(over)) => merge(inner, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Those of all neurons, in the scenario's time unit.
fn synaptic_time_constants(learner: &Learner) -> impl Iterator<Item = f64> {
    learner.network.network.graph().node_weights().filter_map(|node| match node {
        Node::Neuron(neuron) => Some(neuron.tau_s),
        Node::Source => None,
    })
}

/// That of the first neuron.
fn tau_s(learner: &Learner) -> f64 {
    synaptic_time_constants(learner).next().unwrap_or(1.0)
}

/// The chip that a network is put on.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// Its sheet, in model time.
    pub sheet: Datasheet,
    /// Its own clock, if the sheet has one.
    pub clock: Option<HardwareClock>,
    /// Synaptic time constant of the network, in the scenario's time unit.
    pub tau_s: f64,
    /// Samples that are shown without interruption.
    pub batch_size: usize,
}

impl Hardware {
    /// What a classification takes there, if the chip has a clock, after what happened in some samples.
    pub fn account(&self, happened: &Activity, decision_time: f64) -> Option<HardwareAccount> {
        let Hardware { sheet, clock, tau_s, batch_size } = self;
        HardwareAccount::new(sheet, (*clock)?, *tau_s, happened, decision_time, *batch_size)
    }
}

impl LoadedScenario {
    /// The chip of a scenario that has one, if its network fits there.
    ///
    /// # Errors
    /// If it does not fit; the message says what would.
    pub fn hardware(&self, learner: &Learner) -> Result<Option<Hardware>, ScenarioError> {
        let Some(sheet) = &self.scenario.chip else { return Ok(None) };
        let tau_s = tau_s(learner);
        let clock = HardwareClock::new(sheet, tau_s);
        if clock.is_some() && synaptic_time_constants(learner).any(|other| other != tau_s) {
            let message = "a chip with a clock of its own needs neurons of one tau_s";
            return Err(self.problem("chip.tau_s", message));
        }
        let per_time = clock.map_or(1.0, |clock| 1.0 / clock.per_model_time);
        let sheet = sheet.in_model_time(per_time);
        if let Some(message) = misfit(&sheet, &learner.network, learner.encoding.copies()) {
            return Err(self.problem("chip", message));
        }
        Ok(Some(Hardware { sheet, clock, tau_s, batch_size: self.batch_size(learner) }))
    }
    /// What is known of the substrate before it has recorded anything: what its chip file says, if there is one.    ///
    /// # Errors
    /// If the file of its measured neurons does not fit.
    pub fn prior(
        &self,
        learner: &Learner,
        hardware: Option<&Hardware>,
    ) -> Result<SubstratePrior, ScenarioError> {
        let Some(Hardware { sheet, tau_s, .. }) = hardware else {
            return Ok(SubstratePrior::unknown(self::tau_s(learner)));
        };
        let mut prior = SubstratePrior::of(sheet, *tau_s);
        if sheet.neurons.measured.is_some() {
            prior.measured = self.model(sheet, learner)?.thresholds();
        }
        Ok(prior)
    }
    /// What runs the network in place of the ideal engines; none if they do. An external program is
    /// started; files that it is given are in `folder`.
    ///
    /// # Errors
    /// If the network or a file that the scenario names does not fit, or the program does not start.
    pub fn in_the_loop(
        &self,
        learner: &Learner,
        hardware: Option<&Hardware>,
        folder: &Path,
    ) -> Result<Option<InTheLoop>, ScenarioError> {
        let grid = hardware.and_then(|hardware| WeightGrid::new(&hardware.sheet, &learner.network));
        let batch_size = hardware.map_or(self.batch_size(learner), |hardware| hardware.batch_size);
        if let Some(section) = &self.scenario.substrate {
            let substrate = self.external(section, learner, folder)?;
            let prior = self.prior(learner, hardware)?;
            return Ok(Some(InTheLoop { substrate, grid, batch_size, prior }));
        }
        match hardware {
            Some(Hardware { sheet, .. }) if !sheet.is_ideal() => {
                let substrate = Box::new(self.model(sheet, learner)?);
                let prior = self.prior(learner, hardware)?;
                Ok(Some(InTheLoop { substrate, grid, batch_size, prior }))
            }
            _ => Ok(None),
        }
    }

    /// The network in training: on its substrate ([`Self::in_the_loop`]) if it has one.
    ///
    /// # Errors
    /// As [`Self::in_the_loop`], or if the engine that the scenario asks for cannot run the network.
    pub fn trainer(
        &self,
        learner: &Learner,
        hardware: Option<&Hardware>,
        folder: &Path,
    ) -> Result<Trainer, ScenarioError> {
        match self.in_the_loop(learner, hardware, folder)? {
            Some(in_the_loop) => {
                let settings = learner.settings.clone();
                Trainer::in_the_loop(&learner.network, settings, in_the_loop).map_err(|error| {
                    self.problem("layers", format!("training on a substrate: {error}"))
                })
            }
            None => self.ideal_trainer(learner),
        }
    }

    /// What would run the network. An external program is not started for this.
    ///
    /// # Errors
    /// If the engine that the scenario asks for cannot run the network.
    pub fn engine(
        &self,
        learner: &Learner,
        hardware: Option<&Hardware>,
    ) -> Result<EngineChoice, ScenarioError> {
        let is_on_chip = hardware.is_some_and(|hardware| !hardware.sheet.is_ideal());
        if self.scenario.substrate.is_some() || is_on_chip {
            return Ok(EngineChoice::SUBSTRATE);
        }
        Ok(self.ideal_trainer(learner)?.engine())
    }

    /// What trains the network without the chip.
    pub(crate) fn ideal_trainer(&self, learner: &Learner) -> Result<Trainer, ScenarioError> {
        Trainer::new(&learner.network, learner.settings.clone()).map_err(|error| {
            let message = format!("not feed_forward: {error}; use engine = \"event\"");
            self.problem("engine", &message)
        })
    }

    /// The model of a chip with the network on it.
    ///
    /// # Errors
    /// If the network or the file of its measured neurons does not fit.
    pub fn model(&self, sheet: &Datasheet, learner: &Learner) -> Result<ChipModel, ScenarioError> {
        let mut model = ChipModel::new(sheet, &learner.network, self.scenario.seed)
            .map_err(|error| self.problem("chip", error.to_string()))?;
        model.expect_synchronous(learner.synchronous_inputs());
        Ok(model)
    }

    fn external(
        &self,
        section: &SubstrateSection,
        learner: &Learner,
        folder: &Path,
    ) -> Result<Box<dyn Substrate>, ScenarioError> {
        let settings = ExternalSettings {
            command: section.command.clone(),
            timeout: Duration::from_secs_f64(section.timeout),
            exchange: match section.exchange {
                SubstrateExchange::Streams => Exchange::Streams,
                SubstrateExchange::Files => Exchange::Files { folder: folder.join("substrate") },
            },
            time_unit: self.scenario.time_unit.suffix().to_owned(),
        };
        let folder = section.folder.as_deref().unwrap_or(Path::new("."));
        let external = ExternalSubstrate::new(&learner.network, settings, folder)
            .map_err(|error| self.problem("substrate", error.to_string()))?;
        Ok(Box::new(external))
    }

    /// Samples that are shown without interruption.
    fn batch_size(&self, learner: &Learner) -> usize {
        if self.scenario.training.is_some() { learner.settings.batch_size } else { EVALUATED }
    }
}
