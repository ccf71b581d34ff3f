#!/usr/bin/env python3
"""Writes what a package is made of: licences.py PACKAGE TARGET LICENCES.txt SBOM.json

LICENCES.txt holds the licence of every crate that is linked into the binary and of what the toolchain links beside them
(runtime.py), each text once; a crate without a text is an error, unless its licence is one whose text has no names in it. SBOM.json
is a bill of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), with the crates' checksums from Cargo.lock. Both
come from `cargo metadata`, so they cannot differ from what was built; the same sources give the same bytes.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib
import urllib.parse
import uuid

import runtime


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


def texts(package, apache):
    """The licence texts of a crate: beside its manifest, and beside the sources of others that it carries."""
    folder = pathlib.Path(package["manifest_path"]).parent
    beside = re.compile(r"(licen[cs]e|copying|copyright|unlicense|notice)", re.I)
    carried = re.compile(r"(licen[cs]e|copyright|notice)[^/]*$", re.I)
    code = {".rs", ".c", ".h", ".S", ".py", ".toml"}
    files = sorted(file for file in folder.iterdir() if file.is_file() and beside.match(file.name))
    files += sorted(f for f in folder.rglob("*") if f.is_file() and f.parent != folder and carried.match(f.name))
    found = [file.read_text(errors="replace").strip() for file in files if file.suffix not in code]
    if found:
        return found
    if re.search(r"(^|OR |/)Apache-2\.0($| OR|/)", package["license"] or ""):
        return [apache]
    sys.exit(f"{package['name']} {package['version']} ({package['license']}) ships no licence text: add one before it is linked")


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


def toolchain_component(part):
    """What comes from the toolchain has no registry, and no checksum of its own."""
    ref = f"pkg:generic/{part['name']}@{urllib.parse.quote(part['version'], safe='')}"
    return {
        "type": "library",
        "bom-ref": ref,
        "name": part["name"],
        "version": part["version"],
        "purl": ref,
        "scope": "required",
        "licenses": [{"expression": part["license"]}],
    }


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

    license_file = pathlib.Path(metadata["workspace_root"], "LICENSE").read_text().strip()
    apache = "(The crate ships no text of its own; this is the one of the licence that it declares.)\n\n" + license_file
    toolchain = runtime.parts(target)
    by_text = {}
    out = [f"{root} {main_package['version']} is under {main_package['license']} and links the libraries below.", ""]
    for part in toolchain:
        out.append(f"{part['name']} {part['version']}: {part['license']}")
        for text in part["texts"]:
            by_text.setdefault(text, []).append(f"{part['name']} {part['version']}")
    for package in others:
        out.append(f"{package['name']} {package['version']}: {package['license'] or 'see its text'}")
        for text in texts(package, apache):
            by_text.setdefault(text, []).append(f"{package['name']} {package['version']}")
    for text, names in by_text.items():
        out += ["", "-" * 78, ", ".join(names), "", text]
    pathlib.Path(licences).write_text("\n".join(out) + "\n")

    lock = tomllib.loads(pathlib.Path(metadata["workspace_root"], "Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    components = [component(package, checksums) for package in others] + [toolchain_component(part) for part in toolchain]
    linked_refs = sorted(part["bom-ref"] for part in components)
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
        "components": components,
        "dependencies": [{"ref": f"pkg:cargo/{root}@{main_package['version']}", "dependsOn": linked_refs}],
    }
    content = json.dumps(bom, sort_keys=True)
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    pathlib.Path(sbom).write_text(json.dumps(bom, indent=1) + "\n")


main()
