#!/bin/sh
# A simulator with a small step (Euler's): the protocol with files, in shell and awk.
# Arguments: the network's, weights', stimulus's and spikes' files, and how many samples there are.
exec awk -F, -v samples="$5" -v step=0.001 -v duration=5 '
function number_of_step(time) { return int(time / step + 0.5) }
function spike(sample, pre, time,    k) {    # sends a spike on its way to all that listen
    for (k = 1; k <= fan[pre]; k++)
        arrives[sample, number_of_step(time + delay[pre, k]), post[pre, k]] += weight[pre, k]
}
FNR == 1 { table++; for (k = 1; k <= NF; k++) column[k] = $k; heading = $0; next }
table == 1 && $3 == "neuron" {
    n++; name[n] = $1 "," $2; number[name[n]] = n
    for (k = 5; k <= NF; k++) p[n, column[k]] = $k
    if ($7 != $8) { print "tau_s and tau_s_inhibitory must be equal" > "/dev/stderr"; exit failed = 1 }
}
table == 2 {
    pre = $1 "," $2; k = ++fan[pre]
    post[pre, k] = number[$3 "," $4]; weight[pre, k] = $5; delay[pre, k] = $6
}
table == 3 { spike($1, $2 "," $3, $4) }
END {
    if (failed) exit
    print heading                            # the columns of the answer are those of the stimulus
    for (s = 0; s < samples; s++) {
        for (j = 1; j <= n; j++) {
            v[j] = p[j, "initial_potential"]; i[j] = p[j, "initial_current"]; spent[j] = 0
        }
        for (t = 0; t * step < duration; t++) for (j = 1; j <= n; j++) {
            if ((s, t, j) in arrives) i[j] += arrives[s, t, j]
            if (v[j] >= p[j, "threshold"] && !spent[j]++) {
                print s "," name[j] "," t * step
                spike(s, name[j], t * step)
            }
            dv = (p[j, "leak_potential"] - v[j]) / p[j, "tau_m"]
            v[j] += step * (dv + (i[j] + p[j, "bias_current"]) / p[j, "capacitance"])
            i[j] -= step * i[j] / p[j, "tau_s"]
        }
    }
}' "$1" "$2" "$3" > "$4"
