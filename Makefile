# Orion: every command of the platform. `make help` lists them; STACK chooses the stack.
# REHEARSAL=1: act on the stack's rehearsal on the cloud CLOUD (`make rehearse`), not on the stack itself.
REHEARSAL ?=
CLOUD ?= main
STACK ?= $(if $(or $(REHEARSAL),$(filter rehearse drill diff plan diagram,$(MAKECMDGOALS))),prod,dev)
PHASE ?=
FROM ?=
TO ?=
SERVICE ?=
SERVER ?=
DATA ?= ask
FILE ?= plan.svg
THEME ?=
PICTURE ?=
JSON ?=
BASE ?= main
OUT ?=
STATES ?=
LOAD ?=
RECORD ?=
REPORT ?= .orion/preview
# The project's own programs come first on the PATH, including a Node.js that can run the program.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Node.js keeps compiled code here, and starts twice as fast.
export NODE_COMPILE_CACHE := $(CURDIR)/.orion/cache/node
# Without what no program here uses of the SDK, which is more than half of what it loads.
tool = node --require ./toolchain/src/preload.cjs tools/cli.ts $(if $(REHEARSAL),--rehearsal $(CLOUD))
access = $(tool) $@ --stack $(STACK) $(if $(YES),--yes)

.DEFAULT_GOAL := help
.PHONY: help setup uninstall engine images docker up down preview plan advise diagram pictures page-screenshot tables pull-request-report pull-request-comment diff drift deploy \
	state-preview state-move operator-key check-image check-external doctor psql \
	redis-cli logs shell celery-status celery-purge migrate-up init-prod rollback promote-replica move-database patch outdated requirements package fidelity sbom checksums \
	flower backup backup-key restore-drill restore rehearse drill report cloud-up cloud-down cloud-status cloud-fault cloud-scenario cloud-time \
	test test-unit units test-app test-contract test-e2e e2e-parts e2e-journey test-long check format bench bench-rehearsal \
	bench-edge bench-production bench-scale bench-enterprise bench-sentinel bench-external bench-faults bench-promotion bench-idle bench-redis bench-gateway bench-restore bench-point-in-time bench-archive-outage \
	bench-terraform

help: ## List the commands
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo; echo "STACK=<name> chooses the stack: by default dev; prod for rehearse, drill, diff, plan, diagram and with REHEARSAL=1, which means the rehearsed stack."

##@ This machine

node_modules/.package-lock.json: package-lock.json
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

setup: node_modules/.package-lock.json ## Install the engine, its plugins and a Docker Engine if they are missing
	@node toolchain/src/cli.ts ensure all

engine: node_modules/.package-lock.json
	@node toolchain/src/cli.ts ensure engine

docker: node_modules/.package-lock.json ## Install or start the Docker Engine
	@node toolchain/src/cli.ts ensure docker

images: setup ## Pull or build the container images of the development stack
	@node images/build.ts

uninstall: ## Take away what `make setup` has put on this machine: engine, plugins, caches, packages; asks (YES=1 agrees)
	@if [ -e node_modules/.package-lock.json ]; then $(tool) uninstall $(if $(YES),--yes); else echo "Nothing is installed here: there is no node_modules."; fi

##@ A stack

up: engine ## Bring the stack up and list its services (YES=1: do not ask; REFRESH=1: undo drift)
	@$(tool) up --stack $(STACK) $(if $(YES),--yes) $(if $(REFRESH),--refresh)

down: node_modules/.package-lock.json ## Take the stack down; asks before it deletes data (DATA=keep|delete)
	@$(tool) down --stack $(STACK) --data $(DATA)

preview: engine ## Show what an update would change
	@$(tool) preview --stack $(STACK)

deploy: engine ## Bring the stack up without questions, check it and report what was done: STACK=prod (OUT=folder: into files; for CI)
	@$(tool) deploy --stack $(STACK) $(if $(OUT),--out $(OUT))

rollback: setup ## Update with the image that ran before (asks; YES=1 agrees)
	@$(access)

state-preview: engine ## Report what the engine would change in the real stack, without values: STACK=prod (OUT=folder: into a file, for CI)
	@$(tool) state-preview --stack $(STACK) $(if $(OUT),--out $(OUT))

drift: engine ## Compare what really exists with the stack's state (ISSUE=1: in CI, keep one issue on GitHub about it)
	@$(tool) drift --stack $(STACK) $(if $(ISSUE),--issue)

state-move: engine ## Move the state of a stack: STACK=prod TO="s3://BUCKET?endpoint=...&region=auto", or TO=files
	@$(tool) state-move --stack $(STACK) --to '$(TO)'

# In CI: the SSH key of a job, which OPERATOR_KEY holds, goes to where ssh and the program look for it.
operator-key: node_modules/.package-lock.json
	@$(tool) operator-key --stack $(STACK)

##@ Before an update or a move

needs = $(if $(VISITORS),--visitors='$(VISITORS)') $(if $(ORDERS),--orders='$(ORDERS)') $(if $(GB),--gb='$(GB)') \
	$(if $(BUDGET),--budget='$(BUDGET)') $(if $(OPERATOR),--operator='$(OPERATOR)') $(if $(DEMANDS),--demands='$(DEMANDS)')

advise: node_modules/.package-lock.json ## Advise which way and phase fit: VISITORS=1500 ORDERS=30 GB=20 BUDGET=200 OPERATOR=team (asks for the rest; HELP=1; JSON=1)
	@$(tool) advise $(needs) $(if $(JSON),--json) $(if $(HELP),--help)

plan: node_modules/.package-lock.json ## Show servers, services, price and account limits: STACK=prod PHASE=scale (JSON=1: for programs)
	@$(tool) plan --stack $(STACK) $(if $(PHASE),--to $(PHASE)) $(if $(JSON),--json)

diagram: node_modules/.package-lock.json ## Draw the plan: STACK=prod PHASE=scale FILE=plan.svg (or .png; THEME=light|dark)
	@$(tool) diagram --stack $(STACK) $(if $(PHASE),--to $(PHASE)) --file $(FILE) $(if $(THEME),--theme $(THEME))

diff: node_modules/.package-lock.json ## Show changes, cost and dangers of a move: FROM=mvp TO=scale STACK=prod (no FROM: the existing stack; PICTURE=move.svg draws it)
	@$(tool) diff --stack $(STACK) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(PICTURE),--picture $(PICTURE)) $(if $(JSON),--json)

check-image: node_modules/.package-lock.json ## Ask an image what a stack needs of it: IMAGE=registry.example.com/shop/api:1.4.2 STACK=dev (no IMAGE: the stack's own)
	@$(tool) check-image --stack $(STACK) $(if $(IMAGE),--image '$(IMAGE)')

check-external: engine ## Ask the external PostgreSQL and Redis of a stack whether they fit: STACK=prod
	@$(tool) check-external --stack $(STACK)

##@ What runs

doctor: node_modules/.package-lock.json ## Check every component and explain what is wrong
	@$(tool) doctor --stack $(STACK)

psql: node_modules/.package-lock.json ## Open a PostgreSQL prompt
	@$(access)

redis-cli: node_modules/.package-lock.json ## Open a Redis prompt as admin: SERVICE=cache|broker
	@$(access) $(if $(SERVICE),--service $(SERVICE))

logs: node_modules/.package-lock.json ## Show the log of a service: SERVICE=app
	@$(access) $(if $(SERVICE),--service $(SERVICE))

shell: node_modules/.package-lock.json ## Open a shell in a service's container: SERVICE=app
	@$(access) $(if $(SERVICE),--service $(SERVICE))

flower: node_modules/.package-lock.json ## Print the address of Flower, the task monitor; for servers, open a tunnel to it until Ctrl-C
	@$(access)

celery-status: node_modules/.package-lock.json ## Show the tasks that workers are running
	@$(access)

celery-purge: node_modules/.package-lock.json ## Delete every waiting task (asks; YES=1 agrees)
	@$(access)

migrate-up: node_modules/.package-lock.json ## Run the database migrations again
	@$(access)

init-prod: node_modules/.package-lock.json ## Run the initialisation script again
	@$(access)

##@ Data

backup: node_modules/.package-lock.json ## Take a backup of the database now, and show its log (ACCEPT=TIME: accept a suspect one instead)
	@$(access) $(if $(ACCEPT),--accept $(ACCEPT))

restore restore-drill: export TIME := $(TIME)
restore-drill: export QUERY := $(QUERY)

restore-drill: engine ## Restore the newest backup into a scratch container and compare: SERVER=core-1 (TIME='2026-11-29 12:00:05': the database of that second, UTC; QUERY='SELECT ...': ask it)
	@$(access) $(if $(SERVER),--server $(SERVER)) $(if $(TIME),--time "$$TIME") $(if $(QUERY),--query "$$QUERY")

restore: engine ## Replace the database's data by that of a second, TIME='2026-11-29 12:00:05' in UTC, and keep that of now aside (asks; YES=1 agrees)
	@$(access) $(if $(TIME),--time "$$TIME")

backup-key: engine ## Print the private key that backups are encrypted for, and the key of the archive, for a safe
	@$(access)

promote-replica: engine ## Promote the replica of a primary whose server is lost (asks; YES=1 agrees)
	@$(access)

move-database: engine ## Move the data between own and external PostgreSQL: TO=external|own (REPLACE=1: over what an earlier move has left; asks; YES=1 agrees)
	@$(access) --to '$(TO)' $(if $(REPLACE),--replace)

##@ Newer versions

outdated: node_modules/.package-lock.json ## List what is behind: images, packages, engine, servers (JSON=1; WRITE=1: pin today's images)
	@$(tool) outdated --stack $(STACK) $(if $(JSON),--json) $(if $(WRITE),--write)

patch: engine ## Bring packages, kernel and images of the servers up to date, one after the other (DRY=1: only show; REBOOT=1; asks; YES=1 agrees)
	@$(access) $(if $(DRY),--dry) $(if $(REBOOT),--reboot)

##@ Rehearsal

place = $(if $(PORT),--port $(PORT)) $(if $(BLOCK),--block $(BLOCK))
cloud = node rehearsal/cloud/cli.ts $(@:cloud-%=%) --name $(CLOUD)

under_load = $(if $(LOAD),--load $(if $(OUT),--out $(OUT)))

rehearse: setup ## Bring the production stack up on a rehearsal cloud, or move it to a phase: PHASE=mvp STACK=prod CLOUD=main (LOAD=1: under load, with a report; DATA=latest|file.dump: on your own data)
	@$(tool) rehearse --stack $(STACK) --cloud $(CLOUD) $(if $(PHASE),--phase $(PHASE)) $(place) $(if $(filter-out ask,$(DATA)),--data $(DATA)) $(if $(FROM),--from $(FROM)) $(under_load)

drill: setup ## Inject faults into the rehearsed platform under load, and write a report: DRILL=power-cut,promotion (default: all) OUT=file.html
	@$(tool) drill --stack $(STACK) --cloud $(CLOUD) $(if $(PHASE),--phase $(PHASE)) $(if $(DRILL),--drill $(DRILL)) $(place) $(if $(OUT),--out $(OUT))

report: node_modules/.package-lock.json ## Draw the page of a rehearsal or of drills again: RECORD=file.json OUT=file.html
	@$(tool) report --record $(RECORD) $(if $(OUT),--out $(OUT))

cloud-up: $(if $(filter none,$(MACHINES)),node_modules/.package-lock.json,docker) ## Create or start a rehearsal cloud: CLOUD=main MACHINES=docker|none PORT=8470 ZONES=example.com
	@$(cloud) $(if $(MACHINES),--machines $(MACHINES)) $(if $(STORAGE),--storage) $(place) $(if $(ZONES),--zones $(ZONES))

cloud-down: node_modules/.package-lock.json ## Delete the rehearsal cloud with everything in it
	@$(cloud)

cloud-status: node_modules/.package-lock.json ## Show what is up in the rehearsal cloud, what changed, clients with errors, and the address of its status page
	@$(cloud)

cloud-fault: node_modules/.package-lock.json ## Inject a fault: FAULT="reply api=hetzner status=503"; remove: REMOVE=all; without either: list
	@$(cloud) $(if $(REMOVE),remove $(REMOVE),$(if $(FAULT),add $(FAULT)))

cloud-scenario: node_modules/.package-lock.json ## Play a scenario: SCENARIO="sold-out location=hel1, slow-boots"; end: REMOVE=sold-out|all; without either: list
	@$(cloud) $(if $(REMOVE),remove '$(REMOVE)',$(if $(SCENARIO),add '$(SCENARIO)'))

cloud-time: node_modules/.package-lock.json ## Show the cloud's clock, or let time pass: FORWARD=40d
	@$(cloud) $(if $(FORWARD),--forward '$(FORWARD)')

##@ Changes of this project

check: node_modules/.package-lock.json ## Check types, lint and format
	@mkdir -p .orion/cache
	tsc --build
	eslint --max-warnings=0 --cache --cache-location .orion/cache/eslint .
	prettier --check --log-level warn --cache --cache-location .orion/cache/prettier .

format: node_modules/.package-lock.json ## Format every file
	@prettier --write --log-level warn .

# Side by side: the checks leave a core idle most of the time.
test-unit: node_modules/.package-lock.json ## Check types, lint and format, and run the unit tests: no Docker, no engine
	@$(MAKE) --no-print-directory -j2 check units

# Much of what composes a graph lives for a moment: with room for it, the garbage collector takes a tenth of the time less.
units:
	@node --min-semi-space-size=128 --max-semi-space-size=128 node_modules/jest/bin/jest.js --selectProjects unit --maxWorkers=100%

# Side by side, once the engine is there: both of them wait most of the time.
test: test-unit setup ## Run all tests that CI runs
	@$(MAKE) --no-print-directory -j2 test-app test-contract
	@$(MAKE) --no-print-directory test-e2e

test-app: ## Run the sample application's tests
	@sample-app/tests/run.sh

test-contract: setup ## Check the plugins against their npm packages, and the emulated APIs against their OpenAPI documents
	@jest --selectProjects contract

test-e2e: images ## Test the development stack, the images and rehearsal clouds for real, and one platform that goes from phase to phase
	@$(MAKE) --no-print-directory --keep-going e2e-parts e2e-journey

# Two at a time: each waits for servers and containers most of the time.
e2e-parts:
	@jest --selectProjects e2e --testPathIgnorePatterns /journey --maxWorkers=2

# Alone: no request of its load may fail.
e2e-journey:
	@jest --selectProjects e2e --testPathPatterns /journey --runInBand

test-long: images ## Test faults, drills and changes of a live platform that take too long for `make test`: an hour
	@jest --selectProjects long --runInBand

pull-request-report: node_modules/.package-lock.json ## Report what a merge would change: BASE=main (OUT=folder: into files; STATES=folder of make state-preview; for CI)
	@node tools/preview/preview.ts --base $(BASE) $(if $(OUT),--out $(OUT)) $(if $(STATES),--states $(STATES))

# In CI, by a job that has a token: PULL_REQUEST is a number from the artifact, and its newest commit must be COMMIT.
pull-request-comment: node_modules/.package-lock.json
	@PULL_REQUEST="$${PULL_REQUEST:-$$(cat $(REPORT)/pull-request)}" node tools/preview/comment.ts $(REPORT)/report.json

tables: node_modules/.package-lock.json ## Write the tables of README and docs, and the settings in Pulumi.yaml and for editors, again after a change of them
	@node tools/advise/pages.ts

pictures: node_modules/.package-lock.json ## Draw the pictures of README and docs again, after a change of the plans
	@node tools/diagram/pictures.ts

page-screenshot: node_modules/.package-lock.json ## Take the picture of the rehearsal cloud's status page in the docs again (needs Chromium)
	@node testing/page-screenshot.ts

fidelity: node_modules/.package-lock.json ## Write docs/fidelity.md, after a change of the emulated APIs (DOCUMENTS=folder: with newer OpenAPI documents)
	@$(tool) fidelity $(if $(DOCUMENTS),--documents $(DOCUMENTS))

requirements: node_modules/.package-lock.json ## Write each requirements.txt, with hashes, from its requirements.in (UPGRADE=1: newest versions)
	@$(tool) requirements $(if $(UPGRADE),--upgrade)

checksums: node_modules/.package-lock.json ## Write the checksums of the engine and its plugins, for the versions in use
	@node toolchain/src/cli.ts checksums

sbom: images ## List what the images that are built here contain, as SPDX documents in .orion/sbom
	@$(tool) sbom --stack $(STACK)

package: node_modules/.package-lock.json ## Pack the rehearsal cloud for other projects: .orion/package/orion-rehearsal-*.tgz
	@$(tool) package

##@ Measurements

bench: images ## Measure the everyday commands, into bench/*.md
	@node bench/development.ts

bench-rehearsal: images ## Measure the rehearsal cloud, into bench/rehearsal.md (FORMER=folder: single calls beside those of that checkout)
	@$(if $(FORMER),FORMER=$(FORMER)) node bench/rehearsal.ts

bench-production: images ## Measure the first update and changes under load on a rehearsal cloud, into bench/production.md
	@node bench/production.ts

bench-scale: images ## Measure the move to several servers, the replica and the loss of a server, into bench/scale.md
	@node bench/scale.ts

bench-enterprise: images ## Measure the moves to phase enterprise and back under load, one of them killed, into bench/enterprise.md
	@node bench/enterprise.ts

bench-sentinel: images ## Measure the loss of a Redis master with Sentinel, in every way, into bench/sentinel.md
	@node bench/sentinel.ts

bench-external: images ## Measure moves of the database between a provider's PostgreSQL and the stack's own, into bench/external.md
	@node bench/external.ts

bench-promotion: images ## Measure the promotion of the replica after the loss of the primary's server, into bench/promotion.md
	@node bench/promotion.ts

bench-terraform: setup ## Measure the same Hetzner resources by Terraform and by Pulumi, into bench/terraform.md
	@node bench/terraform.ts

bench-faults: images ## Measure recovery from faults, with ten updates killed, into bench/faults.md
	@node bench/faults.ts

bench-restore: images ## Measure a restore on an empty machine with nothing but bucket and key, into bench/restore.md
	@node bench/restore.ts

bench-point-in-time: images ## Measure base backup, drill and restore to a second of a large database, into bench/point-in-time.md (GB: its size, 10)
	@node bench/point-in-time.ts $(GB)

bench-archive-outage: images ## Measure an hour in which the object storage refuses the database's changes, into bench/archive-outage.md
	@node bench/archive-outage.ts

bench-gateway: images ## Measure what the way through gateway and PgBouncer costs, and a spike of clients, into bench/gateway.md
	@node bench/gateway.ts

bench-redis: images ## Measure what Redis' users and TLS cost, into bench/redis.md
	@node bench/redis.ts

bench-edge: images ## Measure what the edge adds to the time of an answer, into bench/edge.md
	@node bench/edge.ts

bench-idle: images ## Measure the CPU use of an idle server, into bench/idle.md
	@node bench/idle.ts
