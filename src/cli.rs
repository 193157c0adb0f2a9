//! The command line.

mod check;
mod console;
mod convert;
mod data;
mod diff;
mod exit;
mod export;
mod files;
mod gradients;
mod identify;
mod learn;
mod membranes;
mod new;
mod nir;
mod predict;
mod progress;
mod raster;
mod reproduce;
mod run;
mod schema;
mod session;
mod stats;
mod study;
mod traces;
mod viewer;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::run::Subset;
use crate::scenario::{LoadedScenario, Override, ScenarioError, ScenarioFile};
use crate::study::is_study;
use crate::trace::format::{IdRanges, TraceFormat, TraceSource};
use exit::bad_input;

/// Simulate and train spiking neural networks that compute with first-spike times.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    arg_required_else_help = true,
    // As narrow as the terminal, and never wider than pages that are printed.
    max_term_width = 80,
    after_help = "Start with:\n  firstspike run scenarios/yin_yang.toml\n\n\
        Exit codes:\n  \
        0    everything was done\n  \
        1    the work began and failed; for diff, check --gradients, data verify\n       \
        and nir check: something differs or is wrong\n  \
        2    bad input; nothing was touched\n  \
        3    a result could not be written or printed: the disk is full, or the\n       \
        output was closed\n  \
        130  interrupted (Ctrl-C or SIGTERM); what there was is written"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario: simulate it, or train and evaluate it.
    #[command(
        after_help = "A scenario with [[layers]] is trained and evaluated: its folder gets summary.json, \
        metrics.csv, spikes.csv and predictions.csv (test set), network.json, report.html to open in a browser, and for Yin-Yang \
        class_map.svg and .png.\n\
        A scenario with [[populations]] is simulated: spikes.csv, network.json, summary.json, report.html.\n\n\
        Ctrl-C or SIGTERM ends a run at the next batch, with everything written; a second one at once.\n\n\
        A folder belongs to one run. While it works, another process is refused there. The results of \
        another scenario, or of the same with other data, are not replaced without --overwrite; those \
        of the same run are, and they go before the first new file comes.\n\n\
        A training, of layers or of spike trains, keeps checkpoint.safetensors in its folder. Whether it \
        was interrupted or killed, the same command with --resume goes on from there, on any number of \
        threads, to the same bytes. --resume starts from the beginning if there is no checkpoint, does \
        nothing if the run is complete, and refuses the checkpoint of another scenario or of other \
        data: scenario.toml there says what the files contained. Without --resume a run starts anew; \
        it replaces the checkpoint of a stopped run of its own scenario only once it is as far.\n\n\
        A complete training goes on with more epochs: --resume --set training.epochs=N ends with the \
        bytes of a run that had N epochs from the start. That needs a schedule of the learning rate that \
        does not depend on the number of epochs, `constant` or `step`: with `cosine` every epoch would \
        have been another one, and --resume refuses.\n\n\
        Examples:\n  \
        firstspike run scenarios/yin_yang.toml --seed 2 --out traces/second\n  \
        firstspike run scenarios/yin_yang.toml --set layers.0.size=30 --out traces/thirty\n  \
        firstspike run scenarios/yin_yang.toml --resume\n  \
        firstspike run scenarios/yin_yang_paper.toml --resume --set training.epochs=400\n\n\
        A file with [study] is a study: its base scenario is trained at every point of its axes with \
        every seed, each training on one thread. Every result is added to results.csv in its folder at \
        once; the same command goes on after an interrupt. A training that fails is recorded with its \
        error. In the end there are figures and tables in the folder. --seed stands for all seeds of \
        the study.\n\n\
        Examples:\n  \
        firstspike run scenarios/studies/yin_yang/03_spike_jitter.toml --dry-run\n  \
        firstspike run scenarios/studies/yin_yang/03_spike_jitter.toml --shard 3/16"
    )]
    Run(RunArguments),
    /// Check a scenario, a study or a chip file, and print it with every default filled in.
    #[command(
        after_help = "The output is itself a scenario; comments behind it have what is derived from data and \
        network. A chip file is checked as far as that goes without a scenario.\n\n\
        With --gradients the exact gradients of the scenario's network are compared with finite \
        differences of the engine, by weights, delays and input times chosen at random: of the \
        training loss on a few training samples, or, for a network of populations, of a sum of all \
        spike times with random coefficients. What cannot be compared is counted, with the reason: steps \
        that change the spikes, times at zero, ties (such as an input that arrives at the end of a \
        refractory period), where the derivatives from the two sides differ.\n\n\
        Exit codes: 0 derivatives were compared and all agree to 1e-5, 1 not so; the others as in \
        firstspike --help.\n\n\
        Examples:\n  \
        firstspike check scenarios/yin_yang.toml --set neuron.tau_m=inf\n  \
        firstspike check scenarios/recurrent.toml --gradients"
    )]
    Check(CheckArguments),
    /// Take one learning step on a recorded trace.
    #[command(
        after_help = "The trace is a CSV file (sample,population,neuron,time_<unit>), or in another format of firstspike \
        convert, with the inputs, biases and first spikes of samples of the scenario's data set, as `run` writes it or \
        recorded elsewhere. Prints its loss, and writes the network after one optimiser step.\n\n\
        Example:\n  \
        firstspike learn scenarios/yin_yang.toml --trace spikes.csv --data test"
    )]
    Learn(LearnArguments),
    /// Find thresholds and delays of a chip's neurons in a trace that it recorded.
    #[command(
        after_help = "The trace is a CSV file (sample,population,neuron,time_<unit>), or in another format of firstspike \
        convert, with the inputs, biases and first spikes of samples of the scenario's data set. The network is that of the \
        run whose folder is given in place of a scenario, or has the weights that the scenario gives it. A \
        model of every neuron is compared with its records; what the scenario's chip file says is where the \
        search begins.

\
        The folder gets chip.toml, a chip file with the measured neurons (neurons.csv), the mean delay, \
        and the noise that remains; and chip_found.csv, with the uncertainties.\n\n\
        Example:\n  \
        firstspike identify traces/on_chip --trace traces/on_chip/spikes.csv --data test --out found\n  \
        firstspike run my_network.toml --set chip=found/chip.toml"
    )]
    Identify(IdentifyArguments),
    /// Look at membrane potentials of a recorded run: how its neurons come to their spikes.
    #[command(
        after_help = "Potentials are not recorded but computed, exactly, from the recorded spikes: any \
        run's folder will do, for any sample and neuron. Without options it shows sample 0 with the \
        label neurons that matter, or the beginning of a simulation.\n\n\
        From the top: spikes of inputs and hidden neurons; then a potential for each neuron, with its \
        threshold (broken), its recorded spikes (triangles) and its inputs below: excitatory ones up, \
        inhibitory ones down, as high as their effect. For networks on a chip the potentials are those \
        of the chip's neurons without trial-to-trial noise, and without what the sample before has left \
        over; on an external substrate, of ideal neurons. Where they reach the threshold other than at a recorded spike there is a circle (on \
        the terminal, a rhombus).\n\n\
        Examples:\n  \
        firstspike membranes traces/yin_yang\n  \
        firstspike membranes traces/yin_yang --sample 7 --neuron hidden:3 --svg 7.svg\n  \
        firstspike membranes traces/recurrent --neuron excitatory:5 --csv five.csv"
    )]
    Membranes(membranes::MembranesArguments),
    /// Write a first scenario, for your own data or from a template.
    #[command(
        after_help = "With --data it looks at the data and writes a scenario with comments: which column is the \
        label and which are none of the features, how features are scaled, how the data are split, how large the \
        layers are, and the keys that one changes first. It trains as it stands. Values that are missing are \
        refused with their line and column.\n\n\
        Examples:\n  \
        firstspike new iris.toml --data iris.csv\n  \
        firstspike new iris.toml --data train.csv --test test.csv --label species --hidden 100,100\n  \
        firstspike new digits.toml --data images.npy --labels labels.npy\n  \
        firstspike new chip.toml --template chip"
    )]
    New(new::NewArguments),
    /// Decide on samples with a trained network.
    #[command(
        after_help = "Takes network.json of a run, which has all that is needed: weights, delays, neurons, \
        encoding, scaling, names of features and classes. New samples are scaled as the training set was.\n\n\
        Writes CSV with a row per sample: sample (from 0), class, time_<unit> of the decision, margin_<unit> \
        to the next best class (inf if no other label neuron spiked), label where it is known, and with --times \
        the time of each label neuron. Class, time and margin are empty if no label neuron spiked. For \
        --set test these are the bytes of predictions.csv in the run's folder.\n\n\
        The network runs on what it was trained on: the ideal engine, the model of a chip, an external \
        program; --chip FILE puts it on another chip (chips/ideal.toml: on none).\n\n\
        Exit codes: 0 done, 1 the network failed, 2 bad input.\n\n\
        Examples:\n  \
        firstspike predict traces/iris --data new.csv --out predictions.csv\n  \
        firstspike predict traces/iris --set validation --times\n  \
        firstspike predict traces/digits --data images.npy --chip chips/brainscales2.toml"
    )]
    Predict(predict::PredictArguments),
    /// Measure a trained network on samples with labels: accuracy, confusion matrix.
    #[command(after_help = "Samples are read and shown as by firstspike predict.\n\n\
        Exit codes: 0 done, 1 the network failed, 2 bad input.\n\n\
        Examples:\n  \
        firstspike evaluate traces/iris --data test.csv --report test.html\n  \
        firstspike evaluate traces/iris --set test --chip chips/brainscales2.toml --out on_chip.json")]
    Evaluate(predict::EvaluateArguments),
    /// Write the network of a run as arrays for NumPy (NPZ) and as tables (CSV).
    #[command(
        after_help = "<DIR>/network.npz has every array: of each layer its weights (a row per input, the rows of \
        bias sources last, a column per neuron), its delays, the parameters of its neurons and its bias times; what \
        features are scaled by. The same stands in a CSV file per table. Scenarios read these: weights.file = \
        \"label.weights.csv\", neuron.tau_m.file = \"label.neurons.csv\". Of a simulation there is a list of \
        synapses for each pair of populations.\n\n\
        Examples:\n  \
        firstspike export traces/iris\n  \
        python3 -c 'import numpy; print(numpy.load(\"traces/iris_export/network.npz\")[\"label.weights\"])'"
    )]
    Export(export::ExportArguments),
    /// Read, check, compare and write networks of other programs (NIR).
    #[command(
        subcommand,
        after_help = "A NIR file holds a network, and leaves open what decides its spikes: the unit of its \
        times, and how far one spike moves a current. --dialect says how it is meant:\n  \
        strict         s; a spike of weight W moves the current by w_in W/tau_syn\n  \
        snntorch       s; by w_in W dt/tau_syn, with steps of 0.1 ms\n  \
        norse          s; by w_in W dt/tau_syn, with steps of 1 ms: as norse reads\n  \
        norse-lifcell  s × dt; by W, r = 1: as norse writes its LIFCell\n  \
        spyx           steps; by W, r = 1/step; reset by subtraction\n  \
        rockpool       s; by W; reset by subtraction\n  \
        jaxsnn         ms; by W, r = 1\n  \
        hxtorch        s; by W, r = 1\n\
        Where a file says it, or only one program writes such numbers, no --dialect is needed.\n\n\
        Examples:\n  \
        firstspike nir check network.nir\n  \
        firstspike nir check network.nir --against other.nir --svg differences.svg\n  \
        firstspike nir import network.nir --dialect strict --out imported\n  \
        firstspike nir export traces/recurrent recurrent.nir\n  \
        firstspike nir convert network.nir for_snntorch.nir --to snntorch"
    )]
    Nir(nir::NirCommand),
    /// Train the scenarios of a table with several seeds, and print it beside published figures.
    #[command(
        after_help = "Every row of the table is trained with every seed into <DIR>/<row>/seed_<n>, as \
        `run` would. What is complete there already is taken as it is; what was interrupted or killed \
        goes on from its checkpoint; what is of a scenario that has since changed starts anew. So the \
        same command, given again, goes on where it was stopped.\n\n\
        The table of all rows that were asked for is printed in Markdown and written to \
        <DIR>/table.md, with links to the report of each training; <DIR>/table.csv has a row per training. Both are brought up to date after each \
        training. A row that fails is reported and the others go on; the exit code is then 1.\n\n\
        Examples:\n  \
        firstspike reproduce scenarios/table.toml\n  \
        firstspike reproduce scenarios/table.toml --rows yin_yang --seeds 1-3"
    )]
    Reproduce(ReproduceArguments),
    /// Look at the spikes of a trace: in the terminal, or as a picture.
    #[command(
        after_help = "The trace may be of any simulator, in every format of firstspike convert, or a CSV file with a \
        time and a neuron in each row, packed with gzip or not. Each neuron has a row, populations are stacked with the \
        first one lowest, samples are side by side. Where marks of several spikes fall together, the \
        last line says how many. A window does not include its end.\n\n\
        Examples:\n  \
        firstspike raster traces/yin_yang/spikes.csv\n  \
        firstspike raster traces/yin_yang/spikes.csv --samples 7 --sort first-spike\n  \
        firstspike raster traces/recurrent/spikes.csv --window 100:200\n  \
        firstspike raster traces/recurrent/spikes.csv --interactive\n  \
        firstspike raster spikes.csv --svg raster.svg --png raster.png --html page.html\n  \
        firstspike raster nest.dat --time-column 2 --neuron-column 1 | less"
    )]
    Raster(raster::RasterArguments),
    /// Put results of studies together, draw them, and name the best point.
    #[command(
        subcommand,
        after_help = "Examples:\n  \
        firstspike study merge part*/results_*.csv --out traces/jitter/results.csv\n  \
        firstspike study best search.toml\n  \
        firstspike study report scenarios/studies/yin_yang/*.toml --out traces/report"
    )]
    Study(study::StudyCommand),
    /// Count in a trace: rates, latencies, intervals, irregularity, synchrony, silent neurons.
    #[command(
        after_help = "SONATA, NEST, NPY, SHD and NIRData are read (see firstspike convert --help), and any CSV \
        file with times and neurons: of this program, of NEST, Brian2, spreadsheets, packed with gzip \
        or not, with a heading or two columns of numbers. Which columns are which is recognised from their names; if not, the message says what to add. A single column \
        of times is the spike train of one neuron. Every row is a spike, also where a neuron spikes twice \
        at one time.\n\n\
        Definitions, the same in stats, in report.html and in summary.json:\n  \
        rate          spikes / (neurons × samples × duration), per second if the unit of\n                \
        time is known (a column time_ms, \"t [s]\", …, or --time-unit), else per\n                \
        unit of time. Neurons are all, silent ones included, if their number is\n                \
        known, else those that spike anywhere in the trace. Samples are those\n                \
        with a spike anywhere in the trace, and those that --samples names. The\n                \
        duration of an interrupted run is the time that it reached.\n  \
        first spike   of a neuron in a sample; counted from time 0 of the sample\n  \
        interval      between two successive spikes of a neuron in a sample\n  \
        coefficient of variation (CV)\n                \
        standard deviation of a neuron's intervals over their mean; the mean\n                \
        over the neurons that have two intervals\n  \
        CV2, local variation\n                \
        by Holt 1996 and Shinomoto 2003, from successive intervals of a neuron;\n                \
        means over neurons. All three: 0 for clocks, 1 for Poisson neurons\n  \
        synchrony     Fano factor of a population: variance of its number of spikes per bin,\n                \
        over the mean (Potjans & Diesmann 2014); 1 for independent neurons. A\n                \
        bin has its begin and not its end; the last one that ends with the\n                \
        window has its end, too\n\n\
        Examples:\n  \
        firstspike stats traces/yin_yang/spikes.csv\n  \
        firstspike stats spikes.csv.gz --size exc=10000 --size inh=2500\n  \
        firstspike stats nest.dat --first-neuron 101 --size 5 --duration 10\n  \
        firstspike stats other.csv --time-column when --neuron-column who --json"
    )]
    Stats(stats::StatsArguments),
    /// Compare two traces spike by spike.
    #[command(
        after_help = "Aligns two traces (ideal and chip, two seeds, two simulators) by sample, population \
        and neuron. Within a neuron, spikes are paired in order of time so that the sum of all time \
        differences is least, where a spike without partner costs half the --reach (the metric of \
        Victor & Purpura 1996). What A has and B has not is missing, the reverse is extra.\n\n\
        Every format of firstspike convert is read, and any CSV file with times and neurons, packed or not; \
        see firstspike stats --help. \
        For traces whose columns have different names, options are given as A,B: --time-column \
        t,when. Units of time are converted where both are known.\n\n\
        Exit codes: 0 equal within the tolerance, 1 different; the others as in firstspike --help.\n\n\
        Examples:\n  \
        firstspike diff ideal/spikes.csv chip/spikes.csv --svg difference.svg\n  \
        firstspike diff spikes.csv nest.dat --populations neurons --first-neuron 0,1\n  \
        firstspike diff a.csv b.csv.gz --map exc=E --map inh=I --csv neurons.csv"
    )]
    Diff(diff::DiffArguments),
    /// Convert a trace to the format of another tool.
    #[command(after_help = "Formats, by the names of files or --from and --to:\n  \
        csv      .csv .tsv .txt, packed (.gz) or not: any columns of times and neurons are read;\n           \
        sample,population,neuron,time_<unit> is written\n  \
        nest     .gdf (no heading), .dat (heading): ids and times in ms\n  \
        npy      two NumPy files: times.npy with neurons.npy, spike_times.npy with\n           \
        spike_clusters.npy (kilosort), a.npy with a_neurons.npy\n  \
        sonata   .h5: /spikes/<population>/timestamps in ms, and node_ids\n  \
        shd      HDF5 of the data sets SHD and SSC; read only\n  \
        nirdata  .nirdata: HDF5, NIRData of the Python package nir\n\n\
        Several files of one simulation are one trace: 'spikes-7-*.dat', or a.dat,b.dat. In nest and npy, the \
        populations are ranges of ids; the file <OUTPUT>.ids.csv says which are whose, and is found there when \
        they are read again. What a format cannot hold is refused, with the option that decides.\n\n\
        Examples:\n  \
        firstspike convert spikes.csv spikes.h5\n  \
        firstspike convert spikes.csv spikes.gdf --samples 0 --tau-s 10ms\n  \
        firstspike convert 'spikes-7-*.dat' spikes.h5 --ids exc=1-8000,inh=8001-10000\n  \
        firstspike convert spike_times.npy spikes.csv --sampling-rate 30000\n  \
        firstspike convert shd_test.h5 spikes.csv.gz")]
    Convert(convert::ConvertArguments),
    /// Fetch, list and verify the public data sets.
    #[command(
        subcommand,
        after_help = "Examples:\n  \
        firstspike data fetch mnist\n  \
        firstspike data verify mnist --folder data/mnist"
    )]
    Data(data::DataCommand),
    /// Print what can stand in a scenario, chip or study file: a JSON Schema, or a page of every key.
    #[command(
        after_help = "Editors with Even Better TOML or Taplo complete and check a file as it is typed if its first line \
        names the schema: `#:schema ./scenario.schema.json`, a path from the folder of the file. Files of \
        firstspike new begin so, and the schema is written beside them.\n\n\
        Examples:\n  \
        firstspike schema scenario > scenario.schema.json\n  \
        firstspike schema chip --markdown"
    )]
    Schema(schema::SchemaArguments),
}

/// Which scenario, and what to change in it.
#[derive(Debug, Args)]
struct ScenarioArguments {
    /// The scenario file (TOML).
    scenario: PathBuf,
    /// Change a value: a dotted key and a TOML value. May be repeated. Another kind of a thing replaces
    /// the file's. Relative paths begin at the working directory; those in a file at its folder.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seed of initial weights, order of samples, and all else that is random.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
}

impl ScenarioArguments {
    /// Reads the scenario, with its overrides.
    fn load(&self) -> Result<LoadedScenario, ScenarioError> {
        ScenarioFile::read(&self.scenario)?.load(&self.overrides())
    }

    fn overrides(&self) -> Vec<Override> {
        let seed = self.seed.map(|seed| format!("seed={seed}"));
        self.set.iter().cloned().chain(seed).map(Override::here).collect()
    }
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,
    /// Compare the network's gradients with finite differences.
    #[arg(long)]
    gradients: bool,
    /// How many derivatives to compare.
    #[arg(long, value_name = "N", default_value_t = 200, requires = "gradients",
          value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
}

/// A trace of a scenario's network, recorded by whomever.
#[derive(Debug, Args)]
struct RecordedArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,
    /// The recorded trace: CSV with the columns of this program, or any format of firstspike convert.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// Format of the trace [default: by its name, or its first bytes].
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<TraceFormat>,
    /// Which ids are whose, in a format that numbers all neurons in a row: in=1-5,hidden=6-35, or a CSV file
    /// with population,first_id,last_id [default: the file <TRACE>.ids.csv, if it is there].
    #[arg(long, value_name = "RANGES|FILE", value_parser = traces::id_ranges)]
    ids: Option<IdRanges>,
    /// The set whose samples the trace shows.
    #[arg(long, value_name = "SET", default_value = "training")]
    data: Data,
}

impl RecordedArguments {
    /// Where the trace is.
    fn source(&self) -> TraceSource {
        let (format, ids) = (self.format, self.ids.clone());
        TraceSource { format, ids, ..TraceSource::new(&self.trace) }
    }
}

#[derive(Debug, Args)]
struct LearnArguments {
    #[command(flatten)]
    recorded: RecordedArguments,
    /// File for the changed network [default: traces/<name of the scenario>/learned.json].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct IdentifyArguments {
    #[command(flatten)]
    recorded: RecordedArguments,
    /// Folder for the chip file [default: traces/<name of the scenario>/chip].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Data {
    Training,
    Validation,
    Test,
}

#[derive(Debug, Args)]
struct RunArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,
    /// Folder for the results [default: traces/<name of the scenario>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on from the checkpoint in that folder, to the same results as without a break.
    #[arg(long)]
    resume: bool,
    /// Replace the results of another run in that folder.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    study: study::StudyArguments,
    #[command(flatten)]
    session: session::SessionArguments,
}

#[derive(Debug, Args)]
struct ReproduceArguments {
    /// The table (TOML): [[rows]] with name, title, scenario, set, seeds, published and reach.
    #[arg(default_value = "scenarios/table.toml")]
    table: PathBuf,
    /// Only these rows.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    rows: Vec<String>,
    /// These seeds instead of the table's: 1-5, or 1,3,7.
    #[arg(long, value_name = "A-B|LIST")]
    seeds: Option<reproduce::Seeds>,
    /// Folder for the results.
    #[arg(long, value_name = "DIR", default_value = "traces/reproduce")]
    out: PathBuf,
    #[command(flatten)]
    session: session::SessionArguments,
}

impl From<Data> for Subset {
    fn from(data: Data) -> Self {
        match data {
            Data::Training => Subset::Training,
            Data::Validation => Subset::Validation,
            Data::Test => Subset::Test,
        }
    }
}

/// Runs the command line and returns the exit code.
pub fn main() -> ExitCode {
    command(std::env::args_os())
}

/// Runs the program with these arguments, of which the first is its name; returns its exit code. What it prints
/// goes to the standard streams of the process, and it listens for Ctrl-C and SIGTERM from then on.
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> u8 {
    let code = command(arguments);
    // An exit code does not give its number away.
    (0..=u8::MAX).find(|&number| ExitCode::from(number) == code).unwrap_or(exit::FAILED)
}

/// The exit code of the program for an error of a run.
pub fn exit_code_of(error: &(dyn std::error::Error + 'static)) -> u8 {
    exit::code(error)
}

fn command<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    let code = match Cli::try_parse_from(arguments) {
        Ok(cli) => run_command(&cli.command),
        // Also what is no error: --help and --version.
        Err(error) => {
            let printed = error.print();
            if !error.use_stderr() {
                console::keep_error(printed);
            }
            ExitCode::from(if error.use_stderr() { exit::BAD_INPUT } else { 0 })
        }
    };
    console::finish(code)
}

fn run_command(command: &Command) -> ExitCode {
    match command {
        Command::Run(arguments) => match ScenarioFile::read(&arguments.scenario.scenario) {
            Ok(file) if is_study(&file) => study::run(arguments),
            Ok(file) if file.is_chip() => {
                bad_input(&ScenarioFile::chip_advice(&arguments.scenario.scenario))
            }
            Ok(file) => run::run(arguments, &file),
            Err(error) => bad_input(&error),
        },
        Command::Study(command) => study::study(command),
        Command::Reproduce(arguments) => reproduce::run(arguments),
        Command::Raster(arguments) => raster::run(arguments),
        Command::Learn(arguments) => learn::run(arguments),
        Command::Identify(arguments) => identify::run(arguments),
        Command::New(arguments) => new::run(arguments),
        Command::Predict(arguments) => predict::predict(arguments),
        Command::Evaluate(arguments) => predict::evaluate(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Nir(command) => nir::run(command),
        Command::Stats(arguments) => stats::run(arguments),
        Command::Convert(arguments) => convert::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Membranes(arguments) => membranes::run(arguments),
        Command::Data(command) => data::run(command),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Check(arguments) if arguments.gradients => {
            gradients::check(&arguments.scenario, arguments.samples as usize)
        }
        Command::Check(arguments) => match ScenarioFile::read(&arguments.scenario.scenario) {
            Ok(file) if is_study(&file) => study::check(&arguments.scenario),
            Ok(file) if file.is_chip() => check::check_chip(&arguments.scenario, &file),
            Ok(file) => check::check(&arguments.scenario, &file),
            Err(error) => bad_input(&error),
        },
    }
}
