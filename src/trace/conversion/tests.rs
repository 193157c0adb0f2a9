use super::*;

fn two_samples() -> Recording {
    Recording {
        time_unit: Some("tau_s".to_owned()),
        populations: vec!["in".to_owned(), "out".to_owned()],
        times: vec![0.5, 1.0, 0.25],
        neurons: vec![0, 2, 1],
        population: vec![0, 1, 0],
        samples: vec![0, 0, 1],
        ..Recording::default()
    }
}

#[test]
fn samples_units_and_populations_become_those_of_the_format() {
    let conversion = Conversion {
        tau_s: Some((10.0, "ms".to_owned())),
        sample_offset: Some(2.0),
        sizes: vec![("out".to_owned(), 5)],
        ..Conversion::default()
    };
    let found = conversion.apply(two_samples(), TraceFormat::Nest).expect("all is decided");
    assert_eq!(found.recording.times, [5.0, 10.0, 22.5]);
    assert_eq!(found.ids.expect("a table").to_string(), "out=1-5,in=6-7");
    assert_eq!(found.recording.neurons, [6, 3, 7]);
    assert_eq!(found.recording.time_unit.as_deref(), Some("ms"));
    assert!(found.recording.samples.is_empty() && found.recording.population.is_empty());
    assert_eq!(found.notes.len(), 2);

    let found = Conversion::default().apply(two_samples(), TraceFormat::Csv).expect("as it is");
    assert_eq!((found.recording, found.notes), (two_samples(), Vec::new()));
}

#[test]
fn what_would_be_lost_is_refused() {
    let nothing = Conversion::default();
    let refused = |conversion: &Conversion, recording, to| {
        conversion.apply(recording, to).expect_err("lost").to_string()
    };
    let message = refused(&nothing, two_samples(), TraceFormat::Sonata);
    assert!(message.contains("2 samples") && message.contains("--sample-offset"), "{message}");
    let short = Conversion { sample_offset: Some(0.75), ..Conversion::default() };
    let message = refused(&short, two_samples(), TraceFormat::Sonata);
    assert!(message.contains("sample 0 has a spike at 1, beyond it"), "{message}");
    let one = Recording { samples: Vec::new(), ..two_samples() };
    let message = refused(&nothing, one.clone(), TraceFormat::Sonata);
    assert!(message.contains("--tau-s 10ms"), "{message}");
    let no_unit = Recording { time_unit: None, ..one.clone() };
    let message = refused(&nothing, no_unit, TraceFormat::Sonata);
    assert!(message.contains("--time-unit UNIT"), "{message}");
    let message = refused(&nothing, one.clone(), TraceFormat::Shd);
    assert!(message.contains("read only"), "{message}");
    let unnamed = Recording {
        time_unit: Some("ms".to_owned()),
        populations: vec![String::new()],
        population: Vec::new(),
        ..one.clone()
    };
    let message = refused(&nothing, unnamed, TraceFormat::Sonata);
    assert!(message.contains("--population NAME"), "{message}");
    let slashed = Recording {
        time_unit: Some("ms".to_owned()),
        populations: vec!["a/b".to_owned(), "c".to_owned()],
        ..one.clone()
    };
    let message = refused(&nothing, slashed, TraceFormat::Sonata);
    assert!(message.contains("population `a/b` cannot be called so"), "{message}");
    let ids = Conversion {
        ids: Some(Ids::Ranges("in=1-2,out=3-4".parse().expect("ranges"))),
        ..Conversion::default()
    };
    let ms = Recording { time_unit: Some("ms".to_owned()), ..one };
    let message = refused(&ids, ms, TraceFormat::Nest);
    assert!(message.contains("out=3-4 is too small for neuron 2"), "{message}");
}

#[test]
fn a_population_with_another_name_keeps_its_ids() {
    let conversion = Conversion {
        population: Some("renamed".to_owned()),
        sizes: vec![("out".to_owned(), 5), ("later".to_owned(), 3)],
        ..Conversion::default()
    };
    let one = Recording {
        time_unit: Some("ms".to_owned()),
        populations: vec!["out".to_owned()],
        times: vec![1.0],
        neurons: vec![2],
        ..Recording::default()
    };
    let found = conversion.apply(one.clone(), TraceFormat::Nest).expect("all is decided");
    assert_eq!(found.ids.expect("a table").to_string(), "renamed=1-5,later=6-8");
    assert_eq!(found.recording.neurons, [3]);
    // The name of a population that is not written.
    let conversion = Conversion { population: Some("later".to_owned()), ..conversion };
    let found = conversion.apply(one, TraceFormat::Nest).expect("all is decided");
    assert_eq!(found.ids.expect("a table").to_string(), "later=1-5");
}

#[test]
fn numbers_of_samples_have_no_unit() {
    let conversion = Conversion {
        unit: Some("ms".to_owned()),
        sampling_rate: Some(1e3),
        ..Conversion::default()
    };
    let message =
        conversion.apply(two_samples(), TraceFormat::Npy).expect_err("a unit").to_string();
    assert!(message.contains("leave out --unit"), "{message}");
}

#[test]
fn times_are_divided_by_whole_numbers() {
    let recording = Recording {
        time_unit: Some("ms".to_owned()),
        populations: vec!["a".to_owned()],
        times: vec![0.9],
        neurons: vec![0],
        ..Recording::default()
    };
    let found = Conversion::default().apply(recording, TraceFormat::NirData).expect("in s");
    assert_eq!(found.recording.times, [0.0009]);
    assert_eq!(found.notes, ["times are divided by 1000: from ms to s"]);
}
