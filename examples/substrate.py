"""The protocol over streams: exact neurons that start at rest with tau_m = tau_s, in plain Python."""
import bisect, csv, itertools, math, sys
def first_spike(threshold, tau, arrivals):  # None if there is none
    v = i = now = 0.0
    for time, weight in sorted(arrivals) + [(math.inf, 0.0)]:
        potential = lambda t: (v + i * t) * math.exp(-t / tau)
        rise = min(time - now, tau - v / i) if i > 0 else 0.0  # how long the potential rises
        if rise > 0 and potential(rise) >= threshold:
            reached = lambda part: potential(rise * part / 2**52) >= threshold
            return now + rise * bisect.bisect_left(range(2**52), True, key=reached) / 2**52
        v, i, now = potential(time - now), i * math.exp((now - time) / tau) + weight, time
tables = csv.reader(sys.stdin)
for name, *numbers in tables:
    heading, *rows = itertools.takewhile(lambda row: row != ["end"], tables)
    if name == "network":
        neurons = [row[:2] + [float(value) for value in row[4:]] for row in rows if row[2] == "neuron"]
        able = all(n[3] == n[4] == n[5] and n[7] == n[11] and n[10] == n[12] == 0 for n in neurons)
        assert able, "this simulator is for neurons at rest with tau_m = tau_s"
    elif name == "weights":
        synapses = {tuple(pair): [(float(weight), float(delay))] for *pair, weight, delay in rows}
    else:
        print(",".join(heading))  # the columns of the answer are those of the stimulus
        for sample, some in itertools.groupby(rows, lambda row: row[0]):
            known = [(*source, float(time)) for _, *source, time in some]
            for *node, threshold, _, tau, _, capacitance, leak in (neuron[:8] for neuron in neurons):
                arrivals = [(t + d, w) for *pre, t in known for w, d in synapses.get((*pre, *node), [])]
                if time := first_spike((threshold - leak) * capacitance, tau, arrivals):
                    known.append((*node, time))
                    print(sample, *node, time, sep=",")
        print("end," + numbers[0], flush=True)
