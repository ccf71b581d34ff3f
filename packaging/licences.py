#!/usr/bin/env python3
"""Writes what a package is made of: licences.py PACKAGE TARGET LICENCES.txt SBOM.json

LICENCES.txt holds the licence of every crate that is linked into the binary, each text once. SBOM.json is a bill of materials
in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), with the crates' checksums from Cargo.lock. Both come from
`cargo metadata`, so they cannot differ from what was built; the same sources give the same bytes.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid


def linked(metadata, package):
    """The packages that are linked into `package`: normal dependencies, no build scripts, no procedural macros."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    macros = {p["id"] for p in metadata["packages"] if any("proc-macro" in t["kind"] for t in p["targets"])}
    found, waiting = set(), [package]
    while waiting:
        at = waiting.pop()
        if at in found or at in macros:
            continue
        found.add(at)
        for dependency in nodes[at]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    return found


def texts(package):
    """The licence texts beside a crate's manifest."""
    folder = pathlib.Path(package["manifest_path"]).parent
    names = re.compile(r"(licen[cs]e|copying|unlicense|notice)", re.I)
    files = sorted(file for file in folder.iterdir() if file.is_file() and names.match(file.name))
    return [file.read_text(errors="replace").strip() for file in files]


def component(package, checksums):
    name, version = package["name"], package["version"]
    entry = {
        "type": "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:cargo/{name}@{version}",
        "scope": "required",
    }
    if package["license"]:
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum := checksums.get((name, version)):
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return entry


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.splitlines()[0])
    root, target, licences, sbom = sys.argv[1:]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    main_package = next(package for package in packages.values() if package["name"] == root)
    ids = linked(metadata, main_package["id"])
    ours = set(metadata["workspace_members"])
    others = sorted((packages[i] for i in ids - ours), key=lambda p: (p["name"], p["version"]))

    by_text = {}
    out = [f"{root} {main_package['version']} is under {main_package['license']} and links the crates below.", ""]
    for package in others:
        out.append(f"{package['name']} {package['version']}: {package['license'] or 'see its text'}")
        for text in texts(package):
            by_text.setdefault(text, []).append(f"{package['name']} {package['version']}")
    for text, names in by_text.items():
        out += ["", "-" * 78, ", ".join(names), "", text]
    pathlib.Path(licences).write_text("\n".join(out) + "\n")

    lock = tomllib.loads(pathlib.Path(metadata["workspace_root"], "Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    linked_refs = sorted(f"pkg:cargo/{p['name']}@{p['version']}" for p in others)
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"pkg:cargo/{root}@{main_package['version']}",
                "name": root,
                "version": main_package["version"],
                "licenses": [{"expression": main_package["license"]}],
            }
        },
        "components": [component(package, checksums) for package in others],
        "dependencies": [{"ref": f"pkg:cargo/{root}@{main_package['version']}", "dependsOn": linked_refs}],
    }
    content = json.dumps(bom, sort_keys=True)
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    pathlib.Path(sbom).write_text(json.dumps(bom, indent=1) + "\n")


main()
