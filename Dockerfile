# The course in a container, for learners on macOS and Windows: the README's commands on a plain Debian.
#
#     docker build -t calico-lab .
#     docker run --rm -it --init -p 127.0.0.1:8888:8888 OPTIONS calico-lab
#
# OPTIONS are what a lab needs and an engine does not grant by itself: the runArgs of .devcontainer/devcontainer.json.
# docs/teaching.md says what each is for. A lab needs no capability.

FROM debian:bookworm-slim AS machine
RUN apt-get update && apt-get install --yes --no-install-recommends \
    ca-certificates curl git iproute2 make openssl procps python3 python3-venv
RUN useradd --create-home --shell /bin/bash learner
USER learner

FROM machine
COPY --chown=learner:learner . /home/learner/calico_lab
WORKDIR /home/learner/calico_lab
RUN make setup
EXPOSE 8888
# In a container of its own, all addresses are those that the engine lets in: above, this machine's loopback alone.
CMD ["make", "lab", "OPTIONS=--ip=0.0.0.0 --no-browser"]
