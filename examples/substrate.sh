#!/bin/sh
# A simulator with a small step (Euler's): the protocol with files, in shell and awk.
# Arguments: the network's, weights', stimulus's and spikes' files, and how many samples there are.
exec awk -F, -v samples="$5" -v step=0.001 -v duration=5 '
function number_of_step(time) { return int(time / step + 0.5) }
function spike(sample, pre, time,    k) {    # sends a spike on its way to all that listen
    for (k = 1; k <= fan[pre]; k++)
        arrives[sample, number_of_step(time + delay[pre, k]), post[pre, k]] += weight[pre, k]
}
FNR == 1 { table++; for (k = 1; k <= NF; k++) column[table, $k] = k; heading = $0; next }
table == 1 && $column[1, "kind"] == "neuron" {
    n++; name[n] = $1 "," $2; number[name[n]] = n
    threshold[n] = $column[1, "threshold"]; leak[n] = $column[1, "leak_potential"]
    tau_m[n] = $column[1, "tau_m"]; tau_s[n] = $column[1, "tau_s"]; c[n] = $column[1, "capacitance"]
}
table == 2 {
    pre = $1 "," $2; k = ++fan[pre]
    post[pre, k] = number[$3 "," $4]; weight[pre, k] = $5; delay[pre, k] = $6
}
table == 3 { spike($1, $2 "," $3, $4) }
END {
    print heading                            # the columns of the answer are those of the stimulus
    for (s = 0; s < samples; s++) {
        for (j = 1; j <= n; j++) { v[j] = leak[j]; i[j] = 0; spent[j] = 0 }
        for (t = 0; t * step < duration; t++) for (j = 1; j <= n; j++) {
            if ((s, t, j) in arrives) i[j] += arrives[s, t, j]
            if (v[j] >= threshold[j] && !spent[j]++) {
                print s "," name[j] "," t * step
                spike(s, name[j], t * step)
            }
            v[j] += step * ((leak[j] - v[j]) / tau_m[j] + i[j] / c[j]); i[j] -= step * i[j] / tau_s[j]
        }
    }
}' "$1" "$2" "$3" > "$4"
