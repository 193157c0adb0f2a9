#!/bin/sh
# The protocol with files: a simulator with a small step (Euler's), in shell and awk. Arguments: the
# files of the network, its weights, the stimulus and the spikes, and how many samples there are.
exec awk -F, -v samples="$5" -v step=0.001 -v duration=5 '
function send(sample, pre, time,    k) {     # a spike goes to all that listen
    for (k = 1; k <= fan[pre]; k++)
        arrives[sample, int((time + delay[pre, k]) / step + 0.5), post[pre, k]] += weight[pre, k]
}
FNR == 1 { table++; heading = $0; next }
table == 1 && $7 != $8 { print "tau_s and tau_s_inhibitory must be equal" > "/dev/stderr"; exit failed = 1 }
table == 1 && $3 == "neuron" {
    name[++n] = $1 "," $2; number[name[n]] = n; threshold[n] = $5; tau_m[n] = $6; tau_s[n] = $7
    capacitance[n] = $9; leak[n] = $10; bias[n] = $13; potential[n] = $14; current[n] = $15
}
table == 2 { pre = $1 "," $2; k = ++fan[pre]; post[pre, k] = number[$3 "," $4] }
table == 2 { weight[pre, k] = $5; delay[pre, k] = $6 }
table == 3 { send($1, $2 "," $3, $4) }
END {
    if (!failed) print heading               # the columns of the answer are those of the stimulus
    for (s = 0; s < samples && !failed; s++) {
        for (j = 1; j <= n; j++) { v[j] = potential[j]; i[j] = current[j]; spent[j] = 0 }
        for (t = 0; t * step < duration; t++) for (j = 1; j <= n; j++) {
            if ((s, t, j) in arrives) i[j] += arrives[s, t, j]
            spikes = v[j] >= threshold[j] && !spent[j]++
            if (spikes) { print s "," name[j] "," t * step; send(s, name[j], t * step) }
            v[j] += step * ((leak[j] - v[j]) / tau_m[j] + (i[j] + bias[j]) / capacitance[j])
            i[j] -= step * i[j] / tau_s[j]
        }
    }
}' "$1" "$2" "$3" > "$4"
