//! Linear nodes as sparse matrices: dense layers, convolutions and pools alike.

use super::model::{Node, Tensor};

/// Synapses of a network, and entries of a matrix on the way to it, at most.
pub(super) const MOST_ENTRIES: usize = 5_000_000;
/// Neurons of a population, and signals of a node, at most.
pub(super) const MOST_SIGNALS: usize = 1_000_000;

/// A linear map with the shape of what comes out.
#[derive(Clone, Debug, Default)]
pub(super) struct Operator {
    pub(super) inputs: usize,
    pub(super) shape: Vec<usize>,
    /// Where the entries of each input begin, and at last where they end.
    starts: Vec<usize>,
    targets: Vec<u32>,
    factors: Vec<f64>,
    /// What is added to each output; empty for nothing.
    pub(super) bias: Vec<f64>,
    /// By how much each signal is late; empty for not at all.
    pub(super) delays: Vec<f64>,
}

/// Why a node is no such map, and what would help.
pub(super) type Refused = (String, String);

impl Operator {
    pub(super) fn outputs(&self) -> usize {
        self.shape.iter().product()
    }

    /// Entries of an input: where they lead, and their factors.
    pub(super) fn entries(&self, input: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[input]..self.starts[input + 1];
        self.targets[range.clone()]
            .iter()
            .map(|&target| target as usize)
            .zip(self.factors[range].iter().copied())
    }

    pub(super) fn count(&self, input: usize) -> usize {
        self.starts[input + 1] - self.starts[input]
    }

    /// The map of a node, for signals of this shape; none if it is no linear node.
    pub(super) fn of(node: &Node, shape: &[usize]) -> Option<Result<Self, Refused>> {
        let made = match node.kind.as_str() {
            "Linear" | "Affine" => Self::dense(node, shape),
            "Scale" => Self::scale(node, shape),
            "Delay" => Self::delay(node, shape),
            "Flatten" => Self::flatten(node, shape),
            "Conv1d" => Self::convolution(node, shape, 1),
            "Conv2d" => Self::convolution(node, shape, 2),
            "SumPool2d" => Self::pool(node, shape, false),
            "AvgPool2d" => Self::pool(node, shape, true),
            _ => return None,
        };
        Some(made.and_then(|made| {
            let found: usize = shape.iter().product();
            if made.inputs == found {
                return Ok(made);
            }
            let needed = made.inputs;
            let reason = format!("it takes {needed} signals, but {found} come (shape {shape:?})");
            Err((reason, "give it the shape of what comes before it".to_owned()))
        }))
    }

    /// Passes everything on.
    pub(super) fn identity(shape: &[usize]) -> Self {
        let size: usize = shape.iter().product();
        Operator {
            inputs: size,
            shape: shape.to_vec(),
            starts: (0..=size).collect(),
            targets: (0..size as u32).collect(),
            factors: vec![1.0; size],
            ..Operator::default()
        }
    }

    /// From triples of input, output and factor, in any order.
    fn from_entries(inputs: usize, shape: Vec<usize>, entries: &[(u32, u32, f64)]) -> Self {
        let mut starts = vec![0; inputs + 1];
        for &(input, ..) in entries {
            starts[input as usize + 1] += 1;
        }
        for input in 0..inputs {
            starts[input + 1] += starts[input];
        }
        let mut at = starts.clone();
        let (mut targets, mut factors) = (vec![0; entries.len()], vec![0.0; entries.len()]);
        for &(input, output, factor) in entries {
            let place = &mut at[input as usize];
            (targets[*place], factors[*place]) = (output, factor);
            *place += 1;
        }
        Operator { inputs, shape, starts, targets, factors, ..Operator::default() }
    }

    fn dense(node: &Node, _: &[usize]) -> Result<Self, Refused> {
        let weight = needed(node, "weight")?;
        let &[outputs, inputs] = &weight.shape[..] else {
            let reason = format!("its weight has the shape {:?}", weight.shape);
            return Err((reason, "a matrix is needed: [outputs, inputs]".to_owned()));
        };
        signals(&[inputs])?;
        signals(&[outputs])?;
        let weights = weight.values.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        let entries: Vec<(u32, u32, f64)> = weights
            .map(|(place, &weight)| ((place % inputs) as u32, (place / inputs) as u32, weight))
            .collect();
        let mut operator = Self::from_entries(inputs, vec![outputs], &entries);
        operator.set_bias(node, outputs, 1)?;
        Ok(operator)
    }

    fn set_bias(&mut self, node: &Node, channels: usize, each: usize) -> Result<(), Refused> {
        let Some(bias) = node.numbers("bias") else { return Ok(()) };
        if bias.values.iter().all(|&bias| bias == 0.0) {
            return Ok(());
        }
        let values = spread(bias, channels).ok_or_else(|| {
            let reason = format!("its bias has the shape {:?}", bias.shape);
            (reason, format!("one for each of the {channels} outputs is needed"))
        })?;
        self.bias = values.iter().flat_map(|&bias| std::iter::repeat_n(bias, each)).collect();
        Ok(())
    }

    fn scale(node: &Node, shape: &[usize]) -> Result<Self, Refused> {
        let scale = needed(node, "scale")?;
        let shape = shape_of(scale, shape);
        let mut operator = Self::identity(shape);
        operator.factors = spread(scale, operator.inputs).unwrap_or_default();
        Ok(operator)
    }

    fn delay(node: &Node, shape: &[usize]) -> Result<Self, Refused> {
        let delay = needed(node, "delay")?;
        let shape = shape_of(delay, shape);
        let mut operator = Self::identity(shape);
        operator.delays = spread(delay, operator.inputs).unwrap_or_default();
        if let Some(late) =
            operator.delays.iter().find(|&&delay| !(delay >= 0.0 && delay.is_finite()))
        {
            let reason = format!("a delay is {late}");
            return Err((reason, "delays must be finite and not negative".to_owned()));
        }
        Ok(operator)
    }

    fn flatten(node: &Node, shape: &[usize]) -> Result<Self, Refused> {
        let rank = shape.len() as i64;
        let dimension = |name: &str, default: f64| {
            let given = node.numbers(name).and_then(Tensor::scalar).unwrap_or(default) as i64;
            let from_start = if given < 0 { given + rank } else { given };
            usize::try_from(from_start).ok().filter(|&dimension| dimension < shape.len())
        };
        // Files written from batches count the batch, which is not there any more: so does a vector.
        let (Some(start), Some(end)) = (dimension("start_dim", 1.0), dimension("end_dim", -1.0))
        else {
            return Ok(Self::identity(&[shape.iter().product()]));
        };
        if start > end {
            return Ok(Self::identity(shape));
        }
        let middle = shape[start..=end].iter().product();
        let flat = [&shape[..start], &[middle], &shape[end + 1..]].concat();
        Ok(Self::identity(&flat))
    }

    fn pool(node: &Node, shape: &[usize], average: bool) -> Result<Self, Refused> {
        let &[channels, height, width] = shape else {
            let reason = format!("signals of the shape {shape:?} come");
            return Err((reason, "a pool needs [channels, height, width]".to_owned()));
        };
        let kernel = pair(node, "kernel_size", None)?;
        let stride = pair(node, "stride", Some(kernel))?;
        let padding = pair(node, "padding", Some([0, 0]))?;
        let factor = if average { 1.0 / (kernel[0] * kernel[1]) as f64 } else { 1.0 };
        let window = Window { size: [height, width], kernel, stride, padding, dilation: [1, 1] };
        let out = window.out()?;
        bounded([channels, out[0], out[1], kernel[0], kernel[1]])?;
        signals(&[channels, height, width])?;
        signals(&[channels, out[0], out[1]])?;
        let mut entries = Vec::new();
        window.each(out, |from, to, _| {
            entries.extend((0..channels).map(|channel| {
                (
                    (channel * height * width + from) as u32,
                    (channel * out[0] * out[1] + to) as u32,
                    factor,
                )
            }));
        });
        let shape = vec![channels, out[0], out[1]];
        Ok(Self::from_entries(channels * height * width, shape, &entries))
    }

    fn convolution(node: &Node, shape: &[usize], rank: usize) -> Result<Self, Refused> {
        let weight = needed(node, "weight")?;
        let (&[channels_out, channels_in, ref kernel @ ..], true) =
            (&weight.shape[..], weight.shape.len() == rank + 2)
        else {
            let reason = format!("its weight has the shape {:?}", weight.shape);
            return Err((reason, format!("{} dimensions are needed", rank + 2)));
        };
        // One dimension is a picture of one row.
        let two =
            |sizes: &[usize]| if let [one] = *sizes { [1, one] } else { [sizes[0], sizes[1]] };
        let kernel = two(kernel);
        let groups = node.numbers("groups").and_then(Tensor::scalar).unwrap_or(1.0) as usize;
        if groups == 0 || channels_out % groups != 0 {
            let reason = format!("{channels_out} channels in {groups} groups");
            return Err((reason, "the groups must divide the channels".to_owned()));
        }
        let size = match (node.numbers("input_shape"), shape) {
            (given, &[_, ref size @ ..]) if size.len() == rank => {
                let differs = given.filter(|given| {
                    !given.values.iter().copied().eq(size.iter().map(|&size| size as f64))
                });
                if let Some(given) = differs {
                    let reason =
                        format!("its input_shape is {:?}, but {size:?} comes", given.values);
                    return Err((reason, "the shapes must fit".to_owned()));
                }
                two(size)
            }
            (Some(given), _) => {
                let given: Vec<usize> = given.values.iter().map(|&size| size as usize).collect();
                if given.len() != rank {
                    let reason = format!("its input_shape is {given:?}");
                    return Err((reason, format!("{rank} numbers are needed")));
                }
                two(&given)
            }
            (None, shape) => {
                let reason =
                    format!("it has no input_shape, and signals of the shape {shape:?} come");
                return Err((reason, "write its input_shape".to_owned()));
            }
        };
        let along = |name: &str, default: usize| -> Result<[usize; 2], Refused> {
            let given = pair(node, name, Some([default; 2]))?;
            Ok(if rank == 1 { [default, given[1]] } else { given })
        };
        let (stride, dilation) = (along("stride", 1)?, along("dilation", 1)?);
        let padding = match node.text("padding") {
            Some("valid") => [0, 0],
            Some("same") => {
                let total = [0, 1].map(|axis| dilation[axis] * (kernel[axis].saturating_sub(1)));
                if stride != [1, 1] || total.iter().any(|total| total % 2 != 0) {
                    let reason =
                        "padding `same` with a stride, or with a kernel of even size".to_owned();
                    return Err((reason, "write the padding in numbers".to_owned()));
                }
                total.map(|total| total / 2)
            }
            Some(other) => {
                let reason = format!("its padding is `{other}`");
                return Err((reason, "`same`, `valid` or numbers are read".to_owned()));
            }
            None => along("padding", 0)?,
        };
        let window = Window { size, kernel, stride, padding, dilation };
        let out = window.out()?;
        bounded([channels_out, channels_in, out[0], out[1], kernel[0] * kernel[1]])?;
        signals(&[channels_in, groups, size[0], size[1]])?;
        signals(&[channels_out, out[0], out[1]])?;
        let (pixels_in, pixels_out) = (size[0] * size[1], out[0] * out[1]);
        let of_kernel = kernel[0] * kernel[1];
        let mut entries = Vec::new();
        window.each(out, |from, to, place| {
            for channel_out in 0..channels_out {
                let first = channel_out / (channels_out / groups) * channels_in;
                for channel in 0..channels_in {
                    let weight =
                        weight.values[(channel_out * channels_in + channel) * of_kernel + place];
                    if weight != 0.0 {
                        let from = (first + channel) * pixels_in + from;
                        entries.push((from as u32, (channel_out * pixels_out + to) as u32, weight));
                    }
                }
            }
        });
        let shape =
            if rank == 1 { vec![channels_out, out[1]] } else { vec![channels_out, out[0], out[1]] };
        let inputs = channels_in * groups * pixels_in;
        let mut operator = Self::from_entries(inputs, shape, &entries);
        operator.set_bias(node, channels_out, pixels_out)?;
        Ok(operator)
    }
}

/// A kernel that moves over a picture.
struct Window {
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

impl Window {
    /// How often it fits.
    fn out(&self) -> Result<[usize; 2], Refused> {
        let mut out = [0; 2];
        for axis in [0, 1] {
            let room = self.size[axis] as u128 + 2 * self.padding[axis] as u128;
            let reach =
                self.dilation[axis] as u128 * (self.kernel[axis] as u128).saturating_sub(1) + 1;
            if self.stride[axis] == 0 || self.kernel[axis] == 0 || reach > room || room > 1 << 31 {
                let reason = format!(
                    "a kernel of {:?} with stride {:?}, padding {:?} and dilation {:?} on {:?}",
                    self.kernel, self.stride, self.padding, self.dilation, self.size
                );
                return Err((
                    reason,
                    "it must fit into what comes, with a stride above 0".to_owned(),
                ));
            }
            out[axis] = ((room - reach) / self.stride[axis] as u128 + 1) as usize;
        }
        Ok(out)
    }

    /// Every pixel under every place of the kernel: from, to, and the place in the kernel.
    fn each(&self, out: [usize; 2], mut visit: impl FnMut(usize, usize, usize)) {
        let position = |axis: usize, to: usize, place: usize| {
            let at = to * self.stride[axis] + place * self.dilation[axis];
            at.checked_sub(self.padding[axis]).filter(|&at| at < self.size[axis])
        };
        for row in 0..out[0] {
            for column in 0..out[1] {
                for kernel_row in 0..self.kernel[0] {
                    let Some(from_row) = position(0, row, kernel_row) else { continue };
                    for kernel_column in 0..self.kernel[1] {
                        let Some(from_column) = position(1, column, kernel_column) else {
                            continue;
                        };
                        let from = from_row * self.size[1] + from_column;
                        let place = kernel_row * self.kernel[1] + kernel_column;
                        visit(from, row * out[1] + column, place);
                    }
                }
            }
        }
    }
}

/// Refuses a matrix of more entries than there may be.
fn bounded(sizes: [usize; 5]) -> Result<(), Refused> {
    // Windows are walked through for no channels, too.
    let entries =
        sizes.iter().fold(1u128, |product, &size| product.saturating_mul(size.max(1) as u128));
    if entries <= MOST_ENTRIES as u128 {
        return Ok(());
    }
    let reason = format!("unrolled it has {entries} weights, and {MOST_ENTRIES} is the most");
    Err((reason, "a smaller picture or fewer channels are needed".to_owned()))
}

/// Refuses more signals than there may be.
fn signals(sizes: &[usize]) -> Result<(), Refused> {
    let count = sizes.iter().fold(1u128, |product, &size| product.saturating_mul(size as u128));
    if count <= MOST_SIGNALS as u128 {
        return Ok(());
    }
    let reason = format!("it has {count} signals (shape {sizes:?})");
    Err((reason, format!("at most {MOST_SIGNALS} are read")))
}

/// Two numbers, for height and width; one stands for both.
fn pair(node: &Node, name: &str, default: Option<[usize; 2]>) -> Result<[usize; 2], Refused> {
    let refuse = |found: String| (found, "one or two whole numbers from 0 are needed".to_owned());
    let Some(tensor) = node.numbers(name) else {
        return default.ok_or_else(|| refuse(format!("it has no {name}")));
    };
    let whole = |value: f64| {
        ((0.0..=1e9).contains(&value) && value.fract() == 0.0).then_some(value as usize)
    };
    let values: Option<Vec<usize>> = tensor.values.iter().map(|&value| whole(value)).collect();
    match values.as_deref() {
        Some(&[one]) => Ok([one, one]),
        Some(&[height, width]) => Ok([height, width]),
        _ => Err(refuse(format!("its {name} is {:?}", tensor.values))),
    }
}

pub(super) fn needed<'n>(node: &'n Node, name: &str) -> Result<&'n Tensor, Refused> {
    let missing = || (format!("it has no {name}"), "write it as numbers".to_owned());
    let tensor = node.numbers(name).ok_or_else(missing)?;
    match tensor.values.iter().find(|value| value.is_nan()) {
        Some(_) => Err((format!("its {name} is not a number (NaN)"), "write a number".to_owned())),
        None => Ok(tensor),
    }
}

/// The shape of a field, or that of what comes if it is one number for all.
fn shape_of<'s>(field: &'s Tensor, coming: &'s [usize]) -> &'s [usize] {
    if field.scalar().is_some() { coming } else { &field.shape }
}

/// One value for each of so many, from one for all or from as many.
pub(super) fn spread(field: &Tensor, count: usize) -> Option<Vec<f64>> {
    match field.scalar() {
        Some(value) => Some(vec![value; count]),
        None => (field.values.len() == count).then(|| field.values.clone()),
    }
}
