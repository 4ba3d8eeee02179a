# The course with everything that authors and instructors need: docker build -t cxr-course .
# exercises/README.md says how a class is marked in it.
FROM python:3.12-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends git make && rm -rf /var/lib/apt/lists/*
WORKDIR /course-kit
COPY . .
ENV PIP_NO_CACHE_DIR=1
RUN make setup
# Whoever it runs as (docker run --user) may have no home folder, and writes nothing here.
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
CMD ["make"]
