"""Stands in for `docker compose up`, as far as the SageMaker Python SDK's local mode needs it.

Runs the services of a compose file until the first of them ends, and exits with its code. A service runs

* in the image that it names, with podman, where DRIVETRAIN_CLIENTS_ENGINE says so;
* or else as the binary DRIVETRAIN_CLIENTS_BINARY, in a mount namespace of its own in which the folders of the image are
  mounted where the compose file says.

A service that publishes a port has the network of the machine, and the port becomes the one that the platform tells a
container to use. Services that are several have that network too, in which all their names are this machine.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import yaml

ENTRYPOINT = "/drivetrain"
COMMAND = ["train"]
# Seconds between SIGTERM and SIGKILL.
GRACE = 10


def main(arguments):
    if arguments[:2] == ["compose", "version"]:
        print("Docker Compose version v2.0.0, in part")
        return 0
    if arguments[:1] != ["compose"] or "up" not in arguments:
        print(f"not a command of this stand-in: {shlex.join(arguments)}", file=sys.stderr)
        return 1
    with open(arguments[arguments.index("-f") + 1]) as file:
        services = yaml.safe_load(file)["services"]
    engine = os.environ.get("DRIVETRAIN_CLIENTS_ENGINE")
    with tempfile.TemporaryDirectory(prefix="drivetrain-") as folder:
        hosts = list(services)
        return up([podman(engine, s, hosts) if engine else namespace(s, hosts, folder) for s in services.values()])


def up(commands):
    """Runs commands until the first of them ends, whichever it is; stops the others as Compose does. The first's code."""
    processes = [subprocess.Popen(command) for command in commands]

    def stop(*_):
        for process in processes:
            if process.poll() is None:
                process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    code = first_to_end(processes)
    stop()
    for process in processes:
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return code if code >= 0 else 128 - code


def first_to_end(processes):
    """The code of the process that ends first."""
    while True:
        for process in processes:
            if process.poll() is not None:
                return process.returncode
        time.sleep(0.02)


def volumes(service):
    """Folders here and there, outer ones first; those that are not here yet are made, as Docker does."""
    pairs = [volume.split(":")[:2] for volume in service["volumes"]]
    for here, _ in pairs:
        os.makedirs(here, exist_ok=True)
    return sorted(pairs, key=lambda pair: pair[1])


def environment(service):
    variables = dict(variable.split("=", 1) for variable in service["environment"])
    for port in service.get("ports", []):
        variables["SAGEMAKER_BIND_TO_PORT"] = port.split(":")[0]
    return variables


def command(service):
    """The program's arguments: an entrypoint of the service's own comes without the image's command."""
    if "entrypoint" in service:
        program, *arguments = service["entrypoint"]
        assert program == ENTRYPOINT, program
        return arguments
    words = service.get("command", COMMAND)
    return shlex.split(words) if isinstance(words, str) else words


def podman(engine, service, hosts):
    network = "host" if "ports" in service or len(hosts) > 1 else "none"
    arguments = [engine, "run", "--rm", "--name", name(service), "--network", network]
    if len(hosts) > 1:
        arguments += [f"--add-host={host}:127.0.0.1" for host in hosts]
    for here, there in volumes(service):
        arguments += ["--volume", f"{here}:{there}"]
    for variable, value in environment(service).items():
        arguments += ["--env", f"{variable}={value}"]
    return [*arguments, service["image"], *command(service)]


def name(service):
    """The container's name; version 3 of the SDK leaves it to Compose."""
    return service.get("container_name") or f"drivetrain-{uuid.uuid4()}"


def namespace(service, hosts, folder):
    """Mounts the folders below one in `folder`, and that over /opt, where nobody else sees them."""
    stage = os.path.join(folder, name(service))
    os.mkdir(stage)
    quoted = shlex.quote(stage)
    names = os.path.join(folder, "hosts")
    with open(names, "w") as file:
        file.write(f"127.0.0.1 localhost {' '.join(hosts)}\n")
    script = ["set -e", f"mount --bind {shlex.quote(names)} /etc/hosts"]
    script += [f"mount -t tmpfs tmpfs {quoted}", f"mkdir {quoted}/bin {quoted}/ml"]
    for here, there in [*volumes(service), (os.path.dirname(os.environ["DRIVETRAIN_CLIENTS_BINARY"]), "/opt/bin")]:
        assert there.startswith("/opt/"), there
        target = shlex.quote(stage + there.removeprefix("/opt"))
        script += [f"mkdir -p {target}", f"mount --bind {shlex.quote(here)} {target}"]
    binary = os.path.join("/opt/bin", os.path.basename(os.environ["DRIVETRAIN_CLIENTS_BINARY"]))
    variables = [f"{variable}={value}" for variable, value in environment(service).items()]
    script += [f"mount --rbind {quoted} /opt", "cd /"]
    script += [f"exec {shlex.join(['env', '-i', *variables, binary, *command(service)])}"]
    unprivileged = [] if os.geteuid() == 0 else ["--map-root-user"]
    unshare = ["unshare", "--mount", "--propagation", "private", *unprivileged]
    return [*unshare, "sh", "-c", "\n".join(script)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
