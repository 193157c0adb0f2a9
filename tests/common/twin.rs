//! The slow twin of the neuron: the same physics in double-double arithmetic.
//!
//! All parameters are taken as exact. Between two inputs the potential has at most one extremum, so
//! cutting time at the inputs and at the extrema leaves monotone stretches; a spike is a stretch
//! that starts below the threshold and ends above it. Nothing here is fast or clever.

use super::double_double::DoubleDouble;

/// Beyond this many of the longer time constant every exponential counts as gone.
const FOREVER: f64 = 600.0;

#[derive(Clone, Debug)]
pub struct Twin {
    /// May be infinite.
    pub tau_m: f64,
    pub tau_s: f64,
    pub capacitance: f64,
    pub leak_potential: f64,
    pub threshold: f64,
    pub bias_current: f64,
    /// (time, weight), sorted by time, none before 0.
    pub inputs: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
pub struct TwinCrossing {
    pub time: DoubleDouble,
    /// The potential is below the threshold this long before `time` and above it this long after,
    /// both by the piecewise motion and by the plain sums.
    pub uncertainty: f64,
    pub slope: f64,
    pub curvature: f64,
    /// Sum over every parameter x of |x dT/dx|.
    pub condition: f64,
    /// How far the potential goes on rising above the threshold before it first falls again.
    pub overshoot: f64,
}

#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    pub crossing: Option<TwinCrossing>,
    /// A decisive maximum is so close to the threshold that rounding alone may decide.
    pub undetermined: bool,
}

/// The response of the potential to a unit jump of I/C a time s ago, with derivatives.
struct Kernel {
    value: DoubleDouble,
    slope: DoubleDouble,
    curvature: DoubleDouble,
    /// exp(-s/tau_m) and exp(-s/tau_s).
    membrane: DoubleDouble,
    synapse: DoubleDouble,
}

/// The stretch from one input to the next.
#[derive(Clone, Copy)]
struct Piece {
    start: f64,
    /// Infinite for the last one.
    end: f64,
    length: DoubleDouble,
    /// V - E_L and I_synaptic/C at the start, the inputs arriving then included.
    potential: DoubleDouble,
    drive: DoubleDouble,
}

/// Potential above E_L with its first two derivatives.
struct Motion {
    potential: DoubleDouble,
    slope: DoubleDouble,
    curvature: DoubleDouble,
    /// Synaptic I/C.
    drive: DoubleDouble,
}

impl Twin {
    /// 1/tau_m and 1/tau_s.
    fn rates(&self) -> (DoubleDouble, DoubleDouble) {
        let membrane = if self.tau_m.is_infinite() {
            DoubleDouble::ZERO
        } else {
            DoubleDouble::ONE / self.tau_m
        };
        (membrane, DoubleDouble::ONE / self.tau_s)
    }

    /// 1/tau_s - 1/tau_m without cancellation.
    fn rate_difference(&self) -> DoubleDouble {
        if self.tau_m.is_infinite() {
            return DoubleDouble::ONE / self.tau_s;
        }
        let product = DoubleDouble::from(self.tau_m) * self.tau_s;
        (DoubleDouble::from(self.tau_m) - self.tau_s) / product
    }

    fn kernel(&self, elapsed: DoubleDouble) -> Kernel {
        let (a, b) = self.rates();
        let difference = self.rate_difference();
        let exponent = difference * elapsed;
        let synapse = (-b * elapsed).exp();
        let membrane;
        let value;
        if exponent.hi.abs() < 0.35 {
            // The difference of the exponentials would cancel.
            let excess = exponent.exp_m1();
            membrane = synapse * (excess + 1.0);
            value = if self.tau_m == self.tau_s {
                elapsed * synapse
            } else {
                synapse * excess / difference
            };
        } else {
            membrane = if a.is_zero() { DoubleDouble::ONE } else { (-a * elapsed).exp() };
            value = (membrane - synapse) / difference;
        }
        let slope = synapse - a * value;
        Kernel { value, slope, curvature: -b * synapse - a * slope, membrane, synapse }
    }

    /// The bias current's contribution to the potential a time after it was switched on.
    fn bias_response(&self, elapsed: DoubleDouble) -> DoubleDouble {
        if self.bias_current == 0.0 {
            return DoubleDouble::ZERO;
        }
        let rate = self.rates().0;
        let integral =
            if self.tau_m.is_infinite() { elapsed } else { -(-rate * elapsed).exp_m1() / rate };
        self.per_capacitance(self.bias_current) * integral
    }

    fn per_capacitance(&self, current: f64) -> DoubleDouble {
        DoubleDouble::from(current) / self.capacitance
    }

    /// The height of the threshold above E_L.
    pub fn gap(&self) -> DoubleDouble {
        DoubleDouble::from(self.threshold) - self.leak_potential
    }

    /// V - E_L and dV/dt as plain sums over all inputs up to `time`.
    fn sums(&self, time: DoubleDouble) -> (DoubleDouble, DoubleDouble) {
        let leak = self.rates().0;
        let bias = self.per_capacitance(self.bias_current);
        let mut potential = self.bias_response(time);
        let mut slope = bias - leak * potential;
        for &(start, weight) in &self.inputs {
            if time >= start.into() {
                let kernel = self.kernel(time - start);
                let weight = self.per_capacitance(weight);
                potential += weight * kernel.value;
                slope += weight * kernel.slope;
            }
        }
        (potential, slope)
    }

    pub fn potential_at(&self, time: DoubleDouble) -> DoubleDouble {
        self.sums(time).0 + self.leak_potential
    }

    pub fn slope_at(&self, time: DoubleDouble) -> DoubleDouble {
        self.sums(time).1
    }

    /// The sum of the absolute terms of V - E_L, and of dV/dt.
    pub fn magnitudes_at(&self, time: DoubleDouble) -> (f64, f64) {
        let leak = self.rates().0.to_f64();
        let mut potential = self.bias_response(time).to_f64().abs();
        let mut slope = (self.bias_current / self.capacitance).abs();
        for &(start, weight) in &self.inputs {
            if time >= start.into() {
                let kernel = self.kernel(time - start);
                let weight = (weight / self.capacitance).abs();
                potential += weight * kernel.value.to_f64();
                slope += weight * kernel.synapse.to_f64();
            }
        }
        (potential, slope + leak * potential)
    }

    /// Sum over every parameter x of |x dV/dx|, for V - threshold at `time`.
    pub fn sensitivity_at(&self, time: DoubleDouble) -> f64 {
        // By 1/tau_m and 1/tau_s: x dV/dx is the same but for the sign.
        let (a, b) = self.rates();
        let difference = self.rate_difference();
        let near = |exponent: DoubleDouble| exponent.hi.abs() < 1e-6;
        let mut individual = DoubleDouble::ZERO;
        let mut potential = DoubleDouble::ZERO;
        let mut by_a = DoubleDouble::ZERO;
        let mut by_b = DoubleDouble::ZERO;
        for &(start, weight) in &self.inputs {
            let elapsed = time - start;
            if elapsed.is_negative() {
                continue;
            }
            let kernel = self.kernel(elapsed);
            let weight = self.per_capacitance(weight);
            individual += (weight * kernel.value).abs();
            individual += (weight * kernel.slope * start).abs();
            potential += weight * kernel.value;
            let parabola = -elapsed * elapsed * kernel.membrane * 0.5;
            if near(difference * elapsed) {
                by_a += weight * parabola;
                by_b += weight * parabola;
            } else {
                by_a += weight * (kernel.value - elapsed * kernel.membrane) / difference;
                by_b += weight * (elapsed * kernel.synapse - kernel.value) / difference;
            }
        }
        let bias = self.per_capacitance(self.bias_current);
        let biased = self.bias_response(time);
        individual += biased.abs();
        potential += biased;
        by_a += if near(a * time) {
            -bias * time * time * 0.5
        } else {
            (bias * time * (-a * time).exp() - biased) / a
        };
        let shared = potential.abs() + self.gap().abs() + (a * by_a).abs() + (b * by_b).abs();
        (individual + shared).to_f64()
    }

    /// The piece that begins at `start` with the given potential and drive, inputs at that moment
    /// not yet counted.
    fn piece(&self, start: f64, potential: DoubleDouble, mut drive: DoubleDouble) -> Piece {
        let mut end = f64::INFINITY;
        for &(time, weight) in &self.inputs {
            if time == start {
                drive += self.per_capacitance(weight);
            } else if time > start {
                end = end.min(time);
            }
        }
        let length = if end.is_finite() {
            DoubleDouble::from(end) - start
        } else {
            // So long that only the limit is left.
            let tau =
                if self.tau_m.is_infinite() { self.tau_s } else { self.tau_m.max(self.tau_s) };
            let mut length = FOREVER * tau;
            if self.tau_m.is_infinite() && self.bias_current > 0.0 {
                let climb = self.gap() + potential.abs() + drive.abs() * self.tau_s;
                length += 2.0 * (climb / self.per_capacitance(self.bias_current)).to_f64();
            }
            DoubleDouble::from(length)
        };
        Piece { start, end, length, potential, drive }
    }

    fn motion(&self, piece: &Piece, elapsed: DoubleDouble) -> Motion {
        let a = self.rates().0;
        let kernel = self.kernel(elapsed);
        let bias = self.per_capacitance(self.bias_current);
        let leaking = (bias - a * piece.potential) * kernel.membrane;
        Motion {
            potential: piece.potential * kernel.membrane
                + self.bias_response(elapsed)
                + piece.drive * kernel.value,
            slope: leaking + piece.drive * kernel.slope,
            curvature: piece.drive * kernel.curvature - a * leaking,
            drive: piece.drive * kernel.synapse,
        }
    }

    /// Does the potential fall right after the start of the piece?
    fn falls_at_start(&self, piece: &Piece) -> bool {
        let bias = self.per_capacitance(self.bias_current);
        let slope = bias + piece.drive - self.rates().0 * piece.potential;
        // With no slope the curvature is -drive/tau_s.
        slope.is_negative() || (slope.is_zero() && piece.drive.is_positive())
    }

    /// The maximum inside a piece that rises at its start and falls at its end.
    fn maximum(&self, piece: &Piece) -> DoubleDouble {
        let falls = |elapsed| self.motion(piece, elapsed).slope.is_negative();
        let late = first_doubling(self.tau_s.min(self.tau_m), piece.length, falls);
        root(DoubleDouble::ZERO, late, |elapsed| {
            let motion = self.motion(piece, elapsed);
            (-motion.slope, -motion.curvature)
        })
    }

    /// Above E_L; infinite for a neuron without leak under a bias current.
    fn limit(&self, piece: &Piece) -> DoubleDouble {
        let bias = self.per_capacitance(self.bias_current);
        if self.tau_m.is_finite() {
            bias * self.tau_m
        } else if bias.is_zero() {
            piece.potential + piece.drive * self.tau_s
        } else {
            DoubleDouble::from(bias.hi * f64::INFINITY)
        }
    }

    /// Every maximum of the potential above E_L (with its time), in order of time, until `visit`
    /// returns true. The second argument is the piece that climbs to the threshold on the way to
    /// this maximum, if any does.
    fn visit_maxima(
        &self,
        mut visit: impl FnMut(DoubleDouble, DoubleDouble, Option<&Piece>) -> bool,
    ) {
        let gap = self.gap();
        let mut piece = self.piece(0.0, DoubleDouble::ZERO, DoubleDouble::ZERO);
        // The piece on which the present rise passed the threshold.
        let mut crossed: Option<Piece> = None;
        loop {
            let falls_at_start = self.falls_at_start(&piece);
            if falls_at_start {
                if visit(piece.start.into(), piece.potential, crossed.as_ref()) {
                    return;
                }
                crossed = None;
            }
            let end = self.motion(&piece, piece.length);
            let last = piece.end.is_infinite();
            if !falls_at_start && end.slope.is_negative() {
                let elapsed = self.maximum(&piece);
                let potential = self.motion(&piece, elapsed).potential;
                if crossed.is_none() && potential > gap {
                    crossed = Some(piece);
                }
                if visit(elapsed + piece.start, potential, crossed.as_ref()) {
                    return;
                }
                crossed = None;
            } else {
                let potential = if last { self.limit(&piece) } else { end.potential };
                if crossed.is_none() && potential > gap && piece.potential <= gap {
                    crossed = Some(piece);
                }
                if last {
                    visit(piece.length + piece.start, potential, crossed.as_ref());
                }
            }
            if last {
                return;
            }
            piece = self.piece(piece.end, end.potential, end.drive);
        }
    }

    /// The highest potential (above E_L) the neuron ever has or approaches.
    pub fn supremum(&self) -> DoubleDouble {
        let mut highest = DoubleDouble::ZERO;
        self.visit_maxima(|_, potential, _| {
            if potential > highest {
                highest = potential;
            }
            false
        });
        highest
    }

    /// Is a maximum this close to the threshold within rounding of its terms?
    fn rounding_may_decide(&self, time: DoubleDouble, distance: f64) -> bool {
        let rounding = 8.0 * f64::EPSILON;
        // The kernel never exceeds either time constant.
        let shorter = self.tau_s.min(self.tau_m);
        let weights: f64 = self.inputs.iter().map(|input| input.1.abs()).sum();
        let currents = weights * shorter + self.bias_current.abs() * self.tau_m.min(time.hi);
        let bound = currents / self.capacitance + self.gap().to_f64();
        distance < rounding * bound
            && distance < rounding * (self.magnitudes_at(time).0 + self.gap().to_f64())
    }

    pub fn verdict(&self) -> Verdict {
        let gap = self.gap();
        let mut verdict = Verdict { crossing: None, undetermined: false };
        self.visit_maxima(|time, potential, climb| {
            let overshoot = potential - gap;
            verdict.undetermined |= self.rounding_may_decide(time, overshoot.to_f64().abs());
            let Some(piece) = climb else {
                return false;
            };
            let elapsed_to_top = (time - piece.start).min(piece.length);
            let above = |elapsed| self.motion(piece, elapsed).potential > gap;
            if !above(elapsed_to_top) {
                // The limit is above the threshold by less than the arithmetic resolves.
                verdict.undetermined = true;
                return true;
            }
            let late = first_doubling(self.tau_s.min(self.tau_m), elapsed_to_top, above);
            let excess = |elapsed| {
                let motion = self.motion(piece, elapsed);
                (motion.potential - gap, motion.slope)
            };
            let elapsed = root(DoubleDouble::ZERO, late, excess);
            let time = elapsed + piece.start;
            let motion = self.motion(piece, elapsed);
            // The piecewise motion and the plain sums are the same curve.
            let residual = (self.sums(time).0 - gap).abs() / motion.slope;
            let mut uncertainty = DoubleDouble::from(time.hi * 1e-25);
            while excess(elapsed - uncertainty).0.is_positive()
                || !excess(elapsed + uncertainty).0.is_positive()
            {
                uncertainty = uncertainty * 4.0;
            }
            verdict.crossing = Some(TwinCrossing {
                time,
                uncertainty: (uncertainty + residual.abs()).to_f64(),
                slope: motion.slope.to_f64(),
                curvature: motion.curvature.to_f64(),
                condition: self.sensitivity_at(time) / motion.slope.to_f64().abs(),
                overshoot: overshoot.to_f64(),
            });
            true
        });
        verdict
    }
}

/// The first of step, 2 step, 4 step, … (at most `end`) for which `reached` holds, else `end`.
fn first_doubling(
    step: f64,
    end: DoubleDouble,
    reached: impl Fn(DoubleDouble) -> bool,
) -> DoubleDouble {
    let mut elapsed = DoubleDouble::from(step);
    while elapsed < end && !reached(elapsed) {
        elapsed = elapsed * 2.0;
    }
    elapsed.min(end)
}

/// The root of a function that is not positive at `low`, positive at `high`, and changes its sign
/// once in between: bisection, with Newton's step (from value and derivative) wherever that stays
/// inside the bracket and at least halves the step before.
fn root(
    mut low: DoubleDouble,
    mut high: DoubleDouble,
    function: impl Fn(DoubleDouble) -> (DoubleDouble, DoubleDouble),
) -> DoubleDouble {
    let mut guess = (low + high).half();
    let mut step = high - low;
    for _ in 0..400 {
        let (value, derivative) = function(guess);
        if value.is_zero() {
            break;
        }
        if value.is_positive() {
            high = guess;
        } else {
            low = guess;
        }
        let newton = guess - value / derivative;
        let next = if newton > low && newton < high && (newton - guess).abs() < step.half() {
            newton
        } else {
            (low + high).half()
        };
        step = (next - guess).abs();
        guess = next;
        if step.hi <= 1e-20 * guess.hi.abs() {
            break;
        }
    }
    guess
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Reference {
        /// tau_m, tau_s, capacitance, bias current; the threshold is 1.25 above the leak.
        neuron: (f64, f64, f64, f64),
        inputs: &'static [(f64, f64)],
        /// High and low double.
        time: (f64, f64),
        slope: f64,
        condition: f64,
    }

    /// From mpmath at 80 digits: the textbook sums of exponentials scanned in steps of tau_s/200,
    /// then bisection; the condition from central differences in every parameter.
    const REFERENCES: &[Reference] = &[
        Reference {
            neuron: (1.0, 1.0, 1.14, 0.0),
            inputs: &[
                (0.186, 2.694),
                (0.471, -0.127),
                (0.893, 1.509),
                (1.158, -0.97),
                (1.587, 3.298),
                (3.307, -1.075),
                (3.791, 1.251),
            ],
            time: (1.701274439229506, -4.158238994118235e-17),
            slope: 1.912966075415707,
            condition: 5.1367492170897835,
        },
        Reference {
            neuron: (1.5, 1.5, 1.97, -0.2),
            inputs: &[
                (0.708, 0.501),
                (1.882, 2.139),
                (2.934, -1.738),
                (3.438, 3.204),
                (3.566, 1.457),
                (4.009, 2.549),
                (4.543, -1.072),
            ],
            time: (4.186733490501364, -2.5319251739541245e-16),
            slope: 1.5666099449777362,
            condition: 8.45992185952363,
        },
        Reference {
            neuron: (1.000000000001, 1.0, 0.72, 0.1),
            inputs: &[(1.274, -0.673), (2.138, 0.896), (3.437, 1.999)],
            time: (4.052987898587588, -7.518186013397948e-17),
            slope: 0.513749583127693,
            condition: 14.5243535167533,
        },
        Reference {
            neuron: (1.0, 1.000000000001, 1.18, 0.0),
            inputs: &[(1.592, 0.323), (2.722, 1.2), (3.484, 3.285)],
            time: (3.9612109028556306, 5.8433455477705e-19),
            slope: 0.7975712420840234,
            condition: 10.19766674690697,
        },
        Reference {
            neuron: (2.0, 1.0, 1.06, 0.0),
            inputs: &[
                (0.461, 0.738),
                (1.247, -0.903),
                (1.914, 1.711),
                (2.409, 0.672),
                (2.538, 2.968),
                (2.999, 1.941),
                (3.911, 0.701),
            ],
            time: (2.7395972113533706, -1.413452404824611e-16),
            slope: 2.7060599583227662,
            condition: 4.433513391004691,
        },
        Reference {
            neuron: (0.7, 2.1, 0.99, 0.3),
            inputs: &[
                (0.243, -1.944),
                (1.874, 3.043),
                (2.347, -0.472),
                (4.348, 0.141),
                (6.215, -0.678),
                (6.771, 3.087),
                (8.273, 3.305),
            ],
            time: (7.52166857707655, -3.712916566247763e-16),
            slope: 0.4690286336209965,
            condition: 20.381761688185076,
        },
        Reference {
            neuron: (10000.0, 1.0, 1.93, 0.02),
            inputs: &[
                (0.817, 2.525),
                (0.907, -1.187),
                (1.459, -0.98),
                (1.789, 5.243),
                (1.918, 2.776),
                (3.601, 4.404),
                (3.952, 5.399),
            ],
            time: (2.0955054525620973, -2.2065715666945807e-17),
            slope: 3.1223171994781787,
            condition: 3.8943573381571714,
        },
        Reference {
            neuron: (f64::INFINITY, 3.0, 0.63, 0.0),
            inputs: &[
                (1.019, -0.165),
                (5.558, 0.387),
                (7.09, 0.125),
                (11.354, 0.367),
                (11.917, -0.289),
            ],
            time: (11.225975168606265, 7.369328822778066e-16),
            slope: 0.13412698412698412,
            condition: 50.35854826659432,
        },
        Reference {
            neuron: (f64::INFINITY, 0.5, 1.29, -0.1),
            inputs: &[(0.422, -0.946), (1.743, 5.722), (1.867, 1.167)],
            time: (2.320219042419306, -3.556765044798076e-17),
            slope: 1.6697334817954568,
            condition: 5.055532666557573,
        },
        Reference {
            neuron: (0.1, 1.0, 1.16, 3.0),
            inputs: &[(1.809, 10.437), (2.049, 18.761), (2.45, 8.99)],
            time: (2.069359708753268, -9.203839252715207e-17),
            slope: 12.868504147056756,
            condition: 2.4269612183058817,
        },
        Reference {
            neuron: (4.0, 1.0, 0.74, 0.6),
            inputs: &[
                (1.426, -0.803),
                (1.464, 0.015),
                (1.615, 0.293),
                (1.835, 1.231),
                (2.671, -0.365),
                (2.825, 2.2),
            ],
            time: (2.023255279138658, 1.4534169336562785e-16),
            slope: 1.5540148019971676,
            condition: 5.4561137978290395,
        },
    ];

    #[test]
    fn crossings_agree_with_arbitrary_precision() {
        for reference in REFERENCES {
            let (tau_m, tau_s, capacitance, bias_current) = reference.neuron;
            let twin = Twin {
                tau_m,
                tau_s,
                capacitance,
                leak_potential: -1.0,
                threshold: 0.25,
                bias_current,
                inputs: reference.inputs.to_vec(),
            };
            let verdict = twin.verdict();
            let crossing = verdict.crossing.expect("all of them spike");
            let (hi, lo) = reference.time;
            let error = (crossing.time - DoubleDouble { hi, lo }).to_f64().abs();
            assert!(!verdict.undetermined);
            assert!(error < 1e-28 * hi, "{:?} is off by {error:e}", reference.neuron);
            assert!(crossing.uncertainty < 1e-23 * hi, "{:e}", crossing.uncertainty);
            assert!((crossing.slope / reference.slope - 1.0).abs() < 1e-14);
            let condition = crossing.condition / reference.condition;
            assert!((condition - 1.0).abs() < 1e-6, "condition is off by a factor {condition}");

            // The piecewise motion and the plain sums are the same curve.
            assert!((twin.potential_at(crossing.time) - 0.25).to_f64().abs() < 1e-28);
        }
    }

    #[test]
    fn an_input_that_stops_the_rise_short_of_the_threshold_prevents_the_spike() {
        let mut twin = Twin {
            tau_m: f64::INFINITY,
            tau_s: 1.0,
            capacitance: 1.0,
            leak_potential: 0.0,
            threshold: 1.0,
            bias_current: 0.0,
            // 2 (1 - e^-t) reaches the threshold at ln 2.
            inputs: vec![(0.0, 2.0), (0.69, -9.0)],
        };
        assert!(twin.verdict().crossing.is_none());
        twin.inputs[1].0 = 0.7;
        let crossing = twin.verdict().crossing.expect("spikes at ln 2");
        assert!((crossing.time.to_f64() - std::f64::consts::LN_2).abs() < 1e-16);
        assert!((crossing.overshoot - (1.0 - 2.0 * (-0.7f64).exp())).abs() < 1e-15);
        twin.inputs[1].0 = std::f64::consts::LN_2;
        assert!(twin.verdict().undetermined);
        // A bias current alone: t = 2 reaches the threshold.
        twin.inputs.clear();
        twin.bias_current = 0.5;
        let crossing = twin.verdict().crossing.expect("drifts to the threshold");
        assert_eq!(crossing.time.to_f64(), 2.0);
    }
}
