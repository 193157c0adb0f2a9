use npyz::Order;
use npyz::WriterBuilder;

use super::*;

fn csv(content: &str, kind: Kind) -> Result<Table, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("table.csv");
    std::fs::write(&path, content).expect("writable");
    Table::read_csv(&path, kind, Columns::default()).map_err(|error| error.to_string())
}

fn dataset(table: Table, classes: usize) -> Dataset {
    table.into_dataset(&Classes::numbered(classes), None).expect("labels of these classes")
}

#[test]
fn csv_columns_are_features_wherever_the_label_is() {
    let table = csv("a,label,b\n0.5, 1 ,1\n0,0,0.25\n", Kind::Fractions).expect("valid");
    assert_eq!(Classes::of(&[&table]).names(), ["0", "1"]);
    let found = dataset(table, 2);
    assert_eq!(*found.labels, [1, 0]);
    assert_eq!(found.features, Features::Real([0.5, 1.0, 0.0, 0.25].into()));
    assert_eq!((found.feature_count, found.class_count), (2, 2));

    let whole = csv("a,label\n0.5,1.0\n0,2e0\n", Kind::Fractions).expect("valid");
    assert_eq!(*dataset(whole, 3).labels, [1, 2]);
    let table = csv("label,a,b\n0,3.5,\n1,inf,0\n", Kind::SpikeTimes).expect("valid");
    let never = f64::INFINITY;
    assert_eq!(dataset(table, 2).features, Features::Real([3.5, never, never, 0.0].into()));
}

#[test]
fn csv_problems_are_named_with_line_and_column() {
    let cases = [
        ("", Kind::Fractions, "there is nothing in it"),
        ("a;b\n1;1\n", Kind::Fractions, "there are a, b (separated by semicolons)"),
        ("a,b\n1,1\n", Kind::Fractions, "no column `label`"),
        ("label,label,a\n1,1,1\n", Kind::Fractions, "two columns `label`"),
        ("label\n1\n", Kind::Fractions, "no features"),
        ("label,a\n", Kind::Fractions, "no samples"),
        (
            "label,a\n0,0\nNA,0\n",
            Kind::Fractions,
            "line 3, column `label`: `NA`: there is no value",
        ),
        ("label,a\n0,1.5\n", Kind::Fractions, "line 2, column `a`: `1.5`: a feature must be"),
        ("label,a\n0,nan\n", Kind::Fractions, "line 2, column `a`: `nan`: there is no value"),
        ("label,a\n0,\n", Kind::Fractions, "line 2, column `a`: ``: there is no value: fill it in"),
        (
            "label,a\n0,big\n",
            Kind::Numbers,
            "line 2, column `a`: `big`: a feature must be a number, at most",
        ),
        ("label,a\n0,1e101\n", Kind::Numbers, "`1e101`: a feature must be"),
        ("label,a\n0,-1\n", Kind::SpikeTimes, "line 2, column `a`: `-1`: a spike time"),
        ("label,a\n0,nan\n", Kind::SpikeTimes, "`nan`"),
        ("label,a\n0,1,1\n", Kind::SpikeTimes, "line 2: 3 fields, but 2 are needed"),
        ("label,a\n0.5,1\n", Kind::SpikeTimes, "`0.5`: a label must be a whole number"),
    ];
    for (content, kind, message) in cases {
        let error = csv(content, kind).expect_err(message);
        assert!(error.contains("table.csv") && error.contains(message), "{error}");
    }
}

#[test]
fn the_last_samples_become_a_table_of_their_own() {
    let mut table = csv("label,a\n0,0\n1,0.5\n2,1\n", Kind::Fractions).expect("valid");
    assert!(table.clone().split_last(3).is_err());
    assert!(table.clone().split_last(4).is_err());
    let last = table.split_last(2).expect("one is left");
    assert!(last.check_columns(&table).is_ok());
    assert_eq!(*dataset(last, 3).labels, [1, 2]);
    let rest = dataset(table, 3);
    assert_eq!((rest.len(), rest.features), (1, Features::Real([0.0].into())));
}

#[test]
fn tables_that_do_not_go_together_are_told_apart() {
    let table = |heading: &str, row: &str| {
        csv(&format!("{heading}\n{row}\n"), Kind::Fractions).expect("valid")
    };
    let first = table("label,a,b", "0,0,0");
    let error = table("label,a", "0,0").check_columns(&first).expect_err("too few").to_string();
    assert!(error.contains("1 features, but"), "{error}");
    let error = table("label,b,a", "0,0,0").check_columns(&first).expect_err("order").to_string();
    assert!(error.contains("column `b` stands where") && error.contains("has `a`"), "{error}");
    let classes = Classes::numbered(3);
    let error = table("label,a", "5,0").into_dataset(&classes, None).expect_err("too large");
    assert!(error.to_string().contains("sample 0 (from 0) has label 5"), "{error}");
    let classes = Classes::named(&["yes", "no"].map(str::to_owned));
    let error = table("label,a", "maybe,0").into_dataset(&classes, None).expect_err("unknown");
    let message = "sample 0 (from 0) has label `maybe`, but the classes are yes, no";
    assert!(error.to_string().ends_with(message), "{error}");
}

/// Writes an array, of Fortran's order if asked to.
fn npy<T: npyz::AutoSerialize + Clone>(path: &Path, order: Order, shape: &[u64], values: &[T]) {
    let mut file = std::fs::File::create(path).expect("writable");
    let options = npyz::WriteOptions::new().default_dtype().order(order).shape(shape);
    let mut writer = options.writer(&mut file).begin_nd().expect("a header");
    writer.extend(values.iter().cloned()).expect("writable");
    writer.finish().expect("complete");
}

#[test]
fn npy_files_of_any_order_and_type_are_read_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    npy(&path("c.npy"), Order::C, &[2, 3], &[0.0, 0.25, 0.5, 0.75, 1.0, 0.125]);
    npy(&path("f.npy"), Order::Fortran, &[2, 3], &[0.0_f32, 0.75, 0.25, 1.0, 0.5, 0.125]);
    npy(&path("b.npy"), Order::C, &[2, 3], &[0_u8, 51, 102, 153, 204, 255]);
    npy(&path("i8.npy"), Order::C, &[2], &[1_i64, 0]);
    npy(&path("u1.npy"), Order::C, &[2], &[1_u8, 0]);
    let read = |features: &str, labels: &str, kind| {
        let labels = path(labels);
        dataset(Table::read_npy(&path(features), Some(&labels), kind).expect("valid"), 2)
    };
    let expected = read("c.npy", "i8.npy", Kind::Fractions);
    assert_eq!(expected.features, Features::Real([0.0, 0.25, 0.5, 0.75, 1.0, 0.125].into()));
    assert_eq!(*expected.labels, [1, 0]);
    assert_eq!(read("f.npy", "u1.npy", Kind::Fractions), expected);
    let bytes = read("b.npy", "u1.npy", Kind::Fractions);
    assert_eq!((bytes.feature(0, 1), bytes.feature(1, 2)), (0.2, 1.0));
    assert_eq!(read("b.npy", "u1.npy", Kind::SpikeTimes).feature(0, 1), 51.0);
}

#[test]
fn npy_problems_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    npy(&path("x.npy"), Order::C, &[2, 2], &[0.0, 0.5, 1.5, 0.0]);
    npy(&path("good.npy"), Order::C, &[2, 2], &[0.0, 0.5, 1.0, 0.0]);
    npy(&path("whole.npy"), Order::C, &[2, 2], &[0_i32, 1, 1, 0]);
    npy(&path("flat.npy"), Order::C, &[2], &[0_i32, 1]);
    npy(&path("three.npy"), Order::C, &[3], &[0_i32, 1, 0]);
    npy(&path("nan.npy"), Order::C, &[2, 2], &[0.0, 0.5, f64::NAN, 0.0]);
    npy(&path("real.npy"), Order::C, &[2], &[0.0, 1.0]);
    let whole = std::fs::read(path("good.npy")).expect("there");
    std::fs::write(path("short.npy"), &whole[..whole.len() - 1]).expect("writable");
    std::fs::write(path("text.npy"), "label,a\n").expect("writable");
    let cases = [
        ("x.npy", "flat.npy", "x.npy: row 1, column 0 (from 0): 1.5"),
        ("nan.npy", "flat.npy", "nan.npy: row 1, column 0 (from 0): NaN: there is no value"),
        ("flat.npy", "flat.npy", "flat.npy: has shape [2]"),
        ("whole.npy", "flat.npy", "whole.npy: has type"),
        ("short.npy", "flat.npy", "short.npy: 31 bytes follow"),
        ("text.npy", "flat.npy", "text.npy: this is no NPY file"),
        ("none.npy", "flat.npy", "none.npy: "),
        ("good.npy", "three.npy", "three.npy: 3 labels, but"),
        ("good.npy", "real.npy", "real.npy: has type f8"),
        ("good.npy", "good.npy", "good.npy: has shape [2, 2], but labels"),
    ];
    for (features, labels, message) in cases {
        let labels = path(labels);
        let error = Table::read_npy(&path(features), Some(&labels), Kind::Fractions)
            .expect_err(message)
            .to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn labels_are_numbers_from_0_or_names_in_their_order() {
    let classes = |labels: &str| {
        let rows: String = labels.split(' ').map(|label| format!("{label},0\n")).collect();
        let table = csv(&format!("label,a\n{rows}"), Kind::Fractions).expect("valid");
        let classes = Classes::of(&[&table]);
        let labels = table.into_dataset(&classes, None).expect("its own").labels.to_vec();
        (classes.names().join(" "), labels)
    };
    assert_eq!(classes("2 0 2.0"), ("0 1 2".to_owned(), vec![2, 0, 2]));
    assert_eq!(classes("10 -1 9"), ("-1 9 10".to_owned(), vec![2, 0, 1]));
    assert_eq!(classes("b a B b"), ("B a b".to_owned(), vec![2, 1, 0, 2]));
}

#[test]
fn columns_are_chosen_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("table.csv");
    std::fs::write(&path, "id,species,b,a\n7,x,0.25,1\n8,y,0,0.5\n").expect("writable");
    let read = |columns| Table::read_csv(&path, Kind::Fractions, columns);
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|it| it.to_string()).collect() };
    let columns = Columns { label: "species", ..Columns::default() };

    let left_out = names(&["id"]);
    let table = read(Columns { leave_out: &left_out, ..columns }).expect("valid");
    assert_eq!(table.columns(), Some(&names(&["b", "a"])[..]));
    assert_eq!(table.numbers(), [0.25, 1.0, 0.0, 0.5]);
    let features = names(&["a", "b"]);
    let table = read(Columns { features: Some(&features), ..columns }).expect("valid");
    assert_eq!((table.numbers(), table.has_labels()), (vec![1.0, 0.25, 0.5, 0.0], true));

    let none = Columns { features: Some(&features), label_is_optional: true, ..Columns::default() };
    assert!(!read(none).expect("valid").has_labels());
    let other = names(&["c"]);
    for (columns, message) in [
        (Columns::default(), "line 1: there is no column `label`"),
        (
            Columns { features: Some(&other), ..columns },
            "line 1: there is no column `c`; there are id",
        ),
        (Columns { leave_out: &other, ..columns }, "line 1: there is no column `c`"),
        (columns, "line 2, column `id`: `7`: a feature must be a number from 0 to 1; for other"),
    ] {
        let error = read(columns).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_share_is_drawn_from_every_class_and_the_same_each_time() {
    let rows: String = (0..60).map(|row| format!("{},0.{row:02}\n", row / 20)).collect();
    let table = csv(&format!("label,a\n{rows}"), Kind::Fractions).expect("valid");
    let split = |seed| {
        let mut rest = table.clone();
        let away = rest.split_share(0.25, "test split", seed).expect("enough");
        (dataset(away, 3), dataset(rest, 3))
    };
    let (away, rest) = split(1);
    assert_eq!((away.len(), rest.len()), (15, 45));
    for class in 0..3 {
        assert_eq!(away.labels.iter().filter(|&&label| label == class).count(), 5);
    }
    assert_eq!(split(1), (away.clone(), rest));
    assert!(split(2).0 != away);
    let mut one = csv("label,a\n0,0\n", Kind::Fractions).expect("valid");
    assert!(one.split_share(0.5, "test split", 1).is_err());
}

#[test]
fn complements_stand_behind_the_features() {
    let mut table = csv("label,a,b\n0,0,0.25\n1,1,0.5\n", Kind::Fractions).expect("valid");
    table.complement();
    assert_eq!((table.feature_count(), table.len()), (4, 2));
    assert_eq!(table.numbers(), [0.0, 0.25, 1.0, 0.75, 1.0, 0.5, 0.0, 0.5]);
}

#[test]
fn images_are_kept_in_shades_of_their_range() {
    let table = csv("label,a,b\n0,0,0.5\n", Kind::Fractions).expect("valid");
    let image = ImageShape { width: 2, height: 1 };
    let dataset = table.into_dataset(&Classes::numbered(1), Some(image)).expect("valid");
    assert_eq!(dataset.image, Some(image));
    assert_eq!(dataset.features, Features::Bytes { values: [0, 128].into(), divisor: 255.0 });
}
