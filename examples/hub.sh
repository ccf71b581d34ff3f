# The hub's part of the demonstration: sourced by demo.sh, which gives `work`, `pids` and `say`.
#
# An embedded hub (SQLite in the demonstration's own folder) on a free port of this host, at which every agent of the
# demonstration enrols; at the end the prediction is asked back from the hub's API.

hub=target/debug/arki-hub

# As it is quickest to build (its libraries too, which takes 40 % of the time): what it costs is not shown here.
hub_build() { cargo build --locked -q -p arki-hub --config 'profile.dev.package."*".opt-level=0'; }

hub_start() {
    local port
    for port in 8420 $(seq 18420 18440); do
        cat >"$work/hub.toml" <<TOML
listen = "127.0.0.1:$port"
[database]
url = "sqlite://$work/hub.db"
TOML
        "$hub" serve --config "$work/hub.toml" 2>"$work/hub.log" & local pid=$!
        for _ in $(seq 100); do
            if grep -q serving "$work/hub.log"; then
                pids+=("$pid")
                hub_url="http://127.0.0.1:$port"
                hub_key=$("$hub" key create demo --scope read --config "$work/hub.toml")
                return 0
            fi
            kill -0 "$pid" 2>/dev/null || break # most likely the port is taken
            sleep 0.1
        done
        kill "$pid" 2>/dev/null || true
    done
    echo "the hub does not start:" >&2
    cat "$work/hub.log" >&2
    return 1
}

hub_enroll() { # name of an agent that is configured and does not run yet
    "$hub" agent token --ttl 5m --config "$work/hub.toml" |
        "$agent" enroll --hub "$hub_url" --config "$work/$1.toml" | head -n 1
}

hub_show() { # until the hub has the prediction; then where a person looks
    local said
    for _ in $(seq 100); do
        said=$(curl -sf -H "Authorization: Bearer $hub_key" "$hub_url/v1/predictions?state=all" || true)
        grep -q '"host":"web-1"' <<<"$said" && break
        sleep 0.2
    done
    grep -q '"host":"web-1"' <<<"$said" || { echo "the hub has no prediction; $work/hub.log:" >&2; cat "$work/hub.log" >&2; return 1; }
    "$hub" agent list --config "$work/hub.toml"
    printf '\nThe hub has the prediction: %s\n' "$(grep -oE '"(host|series|severity|fails_at)":("[^"]*"|[0-9]+)' <<<"$said" | head -n 4 | tr '\n' ' ')"
    printf '\nIts page: %s\nSign in with the key %s\n' "$hub_url" "$hub_key"
}
