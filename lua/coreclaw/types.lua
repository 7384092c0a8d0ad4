---@meta coreclaw

-- What is public, for editors (LuaLS): put the folder that holds `coreclaw` on `workspace.library`. Nothing here
-- runs. spec/types_spec.lua holds it against the module: methods, options, events, fields.

---A client for CoreClaw, the platform that runs web-scraping Workers. Wrong use raises; when the world fails,
---calls return nil and an error object, and iterators raise that object.
---@class coreclaw
---@field _VERSION string
---@field errors { kinds: table<coreclaw.ErrorKind, true> }  every kind of error there is, as a set
---@field callback coreclaw.Callback
---@field json coreclaw.Json
---@field null any               JSON's null: not the same as absent
local coreclaw = {}

---Makes a client. Raises on settings that make no sense; sends nothing.
---@param options? coreclaw.Options
---@return coreclaw.Client
function coreclaw.new(options) end

---Is this value an error object of ours? (An iterator raises one; `pcall` catches it.)
---@param value any
---@return boolean
function coreclaw.is_error(value) end

---Marks a table as an array, so that it is `[]` when it is empty. Returns the same table.
---@param list? table  a new one if not given
---@return table
function coreclaw.array(list) end

---An integer to send that this Lua cannot hold: its digits, sent bare.
---@param digits string|integer
---@return table
function coreclaw.integer(digits) end

---Runs a function as a task. In a plain program it begins at once and runs until it first waits.
---@param fn function
---@param ... any  its arguments
---@return coreclaw.Spawned
function coreclaw.spawn(fn, ...) end

---Runs functions at the same time and waits for all of them. Returns their first results, in order. If some
---raised, the first of them is raised, after all have ended.
---@param list (function|coreclaw.Spawned)[]
---@return any[] results
function coreclaw.all(list) end

---Runs a function as a task, and returns what it returned when it and every task that was started meanwhile
---have ended. Inside a task, and in nginx, it waits for the function alone.
---@param fn function
---@param ... any
---@return any ...
function coreclaw.run(fn, ...) end

---Waits without sending anything; other transfers of this process go on.
---@param seconds number
function coreclaw.sleep(seconds) end

---Plugs in a host that is not known here. From then on every call made where `is_here` says so waits by `wait`.
---@param options coreclaw.Host
---@return coreclaw.Plug
function coreclaw.driver(options) end

---How many connections there may be at once; what is over that waits in line. For the whole process.
---@param to_one_host integer  default 16; 0: no limit
---@param in_all? integer      default 256, or as many as to one host
function coreclaw.connections(to_one_host, in_all) end

---Lua's `assert` for calls of ours: PUC Lua 5.1 and 5.2 raise texts only, this one raises the error object there too.
---@generic T
---@param value T
---@param err? any
---@param ... any
---@return T value
---@return any ...
function coreclaw.assert(value, err, ...) end

---JSON that loses nothing, on every Lua and with every lua-cjson.
---@class coreclaw.Json
local Json = {}

---Reads JSON. Never raises because of what the text holds.
---@param text string
---@return any value       `coreclaw.null` for a text that is null; nil when the text is not JSON
---@return string? message why, where, and at most a dozen bytes of the text
function Json.decode(text) end

---Writes JSON, exactly or not at all.
---@param value any
---@param what? string    name of the value in messages, "value" if not given
---@param level? integer  whom to blame, as for `error`; 1, the default, is the caller; 0 nobody
---@return string text
function Json.encode(value, what, level) end

-- ---- settings ---------------------------------------------------------------------------------

---@class coreclaw.Options
---@field api_key? string         else CORECLAW_API_KEY; three public operations work without
---@field api? "v2"|"v1"          default "v2"
---@field auth? "bearer"|"api_key"|"query"  how the key travels; default "bearer"
---@field base_url? string        else CORECLAW_BASE_URL, else https://openapi.coreclaw.com
---@field allow_http? boolean     let the key travel over plain http to a host that is not loopback
---@field timeout? number         seconds for a public call with all its retries; default 120, 0 = none
---@field request_timeout? number seconds for one HTTP exchange; default 60, 0 = none
---@field connect_timeout? number seconds; default 10
---@field idle_timeout? number    seconds in which no byte moves; default 30, 0 = off
---@field max_body? integer       most bytes of an answer; default 64 MiB
---@field max_headers? integer    most bytes of the headers of an answer; default 256 KiB, at most 300 KiB
---@field max_pages? integer      most pages that one iterator fetches; default 1,000,000
---@field verify? boolean         check the server's certificate; default true. false warns
---@field ca_file? string         CA bundle, PEM; default the system's
---@field cert_file? string       certificate of this client, PEM, for the API only (mutual TLS)
---@field key_file? string        its private key, PEM; default: in cert_file
---@field key_password? string    of the private key
---@field proxy? string           "http://user:password@host:port", also socks5:// and socks5h://; "": none
---@field no_proxy? string|string[]  hosts that are reached without a proxy; default NO_PROXY
---@field resolve? table<string, string>  { ["host:port"] = "address" }, instead of DNS
---@field on_warning? fun(message: string)  instead of a line on stderr
---@field user_agent? string
---@field retry? boolean|coreclaw.RetryOptions|coreclaw.RetryPolicy  false: never
---@field defaults? coreclaw.Defaults
---@field journal? string         file in which paid calls are noted before they are sent: see `client:recover`
---@field on_request? fun(event: coreclaw.RequestEvent): boolean?  before each request; false stops the call
---@field on_response? fun(event: coreclaw.ResponseEvent)  after each answer or failure
---@field on_retry? fun(event: coreclaw.RetryEvent)  before a request is repeated
---@field clock? coreclaw.ClockOptions  for tests
---@field poll_intervals? number[] seconds between the reads of `run:wait`; the last one repeats

---@class coreclaw.Defaults
---@field system? coreclaw.System  put under the `system` of every start

---What deadlines are measured by, and how to wait between requests.
---@class coreclaw.ClockOptions
---@field now fun(): number           seconds since some moment, never backwards
---@field sleep fun(seconds: number)

---@class coreclaw.RetryOptions
---@field attempts? integer       for reads; default 5
---@field base? number            seconds of the first backoff; default 0.5
---@field cap? number             the longest; default 20
---@field throttle_base? number   the same after "too many requests"; default 2
---@field throttle_cap? number    default 60
---@field max_wait? number        the longest pause that a server may ask for; default 3600
---@field random? fun(): number   from 0 to 1
---@field budget? integer|false   tokens for the repeats of all calls of the client; default 500, false: no end

---A policy of your own: seconds to wait before the next attempt, nil for none. What could be paid for twice is
---never repeated, whatever it says.
---@alias coreclaw.RetryPolicy fun(err: coreclaw.Error, class: "read"|"write"|"paid"|"last", attempt: integer): number?

---@class coreclaw.TimeoutOptions
---@field timeout? number  seconds for the whole call

-- ---- hooks ------------------------------------------------------------------------------------

---What all of them have.
---@class coreclaw.HookEvent
---@field operation string   its name in API v2; "GET /path" of `client:request`
---@field route? string      the path as documented, "/api/v2/worker-runs/{runId}"; nil for files, `client:request`
---@field call integer       the same for all events of a call
---@field attempt integer    from 1
---@field method string      "GET", "POST", …
---@field at number          Unix seconds

---@class coreclaw.RequestEvent: coreclaw.HookEvent
---@field url string         the key masked
---@field headers string[]   the key masked
---@field body? string       the key masked

---@class coreclaw.ResponseEvent: coreclaw.HookEvent
---@field seconds number     it took
---@field status? integer    nil: no answer came
---@field headers? string    the key masked
---@field body? string       the key masked
---@field error? coreclaw.Error

---@class coreclaw.RetryEvent: coreclaw.HookEvent
---@field delay number       seconds until the next attempt
---@field error coreclaw.Error

-- ---- errors and answers -----------------------------------------------------------------------

---What every failing call returns, and what iterators raise. Prints as one line, and never holds the key.
---@class coreclaw.Error
---@field kind coreclaw.ErrorKind  what went wrong
---@field message string           one sentence for a person
---@field code? integer            the platform's own code (API) or libcurl's (transport)
---@field key? string              name of that code, e.g. "PLAN_CONCURRENCY_LIMITED", "COULDNT_CONNECT"
---@field http_status? integer     HTTP status, when an answer was read
---@field request_id? string       the platform's id of the request: what its support asks for
---@field details? any[]           further texts of the platform, e.g. one per refused field
---@field operation? string        id of the API operation, e.g. "runWorker"
---@field sent coreclaw.Sent       what the platform can have done
---@field unsure? boolean          a try before the last one may have taken effect
---@field retryable boolean        can the same call succeed later?
---@field attempts? integer        how often it was tried
---@field budget_spent? boolean    it was not repeated, for too much of this client had failed of late
---@field retry_after? number      seconds the platform asked to wait
---@field response? coreclaw.Response  status, headers, envelope of the answer, when one was read
---@field cause? coreclaw.Error    the failure behind `unknown_outcome` and `wait_timeout`
---@field run? coreclaw.Run        the run concerned, where there is one
---@field worker? string           Worker id concerned (`unknown_outcome`)
---@field path? table<string, string>  identifiers in the call's path (`unknown_outcome`)
---@field intent? string           its line in the journal (`unknown_outcome`)
---@field candidates? coreclaw.Run[]  runs that may be the one (`client:reconcile`)
---@field window? coreclaw.TimeWindow  in which a run may have been started (`unknown_outcome`)
---@field token? string            where to go on (`run:results { from = … }`), raised by the iterators over rows
---@field items? coreclaw.MapItem[]  begun and not handed out (`client:map` that was cancelled)
---@field verdict? coreclaw.Verdict  why a run that succeeded brought no data (`require = "data"`)
---@field result? coreclaw.SyncResult  the window of a failed sync run

---@class coreclaw.TimeWindow
---@field from integer  Unix seconds
---@field to integer

---@alias coreclaw.Sent
---| "no"      # nothing left this machine
---| "refused" # the platform said that it did nothing
---| "unknown" # it may have acted
---| "yes"     # it has acted

---@alias coreclaw.ErrorKind
---| "network" | "timeout" | "tls" | "cancelled" | "too_large" | "bad_response" | "redirect"
---| "bad_request" | "authentication" | "forbidden" | "not_found" | "rate_limited" | "plan_limit"
---| "insufficient_balance" | "worker_failed" | "version_unavailable" | "run_conflict"
---| "not_implemented" | "server_error" | "api_error" | "file" | "internal"
---| "run_failed" | "run_aborted" | "wait_timeout" | "unknown_outcome" | "page_drift"

---What stood behind a call. Third value of the calls that are one request, `err.response` of an error.
---@class coreclaw.Response
---@field status integer      HTTP status
---@field raw_headers string  the header block as it came
---@field envelope table      code, message, data, request_id
---@field attempts integer    how often the request was sent
---@field unsure? boolean     an earlier try may have taken effect
local Response = {}

---A header's value; the last one if there are several. Letter case does not matter.
---@param name string
---@return string?
function Response:header(name) end

-- ---- the client -------------------------------------------------------------------------------

---One account of the platform, and the handles that start from it.
---@class coreclaw.Client
local Client = {}

---A handle to a Worker. Sends nothing.
---@param id string|coreclaw.Worker  owner/name, owner~name, percent-encoded, or a slug
---@return coreclaw.Worker
function Client:worker(id) end

---A handle to a run: by its slug, or by what `run:serialize()` wrote. Sends nothing.
---@param slug string|coreclaw.Run
---@return coreclaw.Run
function Client:run(slug) end

---A handle to a saved task. Sends nothing.
---@param slug string
---@return coreclaw.Task
function Client:task(slug) end

---A handle to a queue item by its id. Sends nothing.
---@param queue_ref string
---@return coreclaw.QueueItem
function Client:queue_item(queue_ref) end

---The account: the cheapest check of a key. Calls `getAccount`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Account?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Client:account(options) end

---@class coreclaw.Account
---@field balance string                 a decimal
---@field balance_expiration_at? integer Unix seconds
---@field traffic? string|integer        bytes left (API v1)
---@field traffic_expiration_at? integer Unix seconds

---Regions for `system.proxy_region`: a list of { code, name }. Needs no key. Calls `listProxyRegions`.
---@param options? string|coreclaw.RegionsOptions  or the language
---@return table[]?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Client:proxy_regions(options) end

---@class coreclaw.RegionsOptions: coreclaw.TimeoutOptions
---@field language? string  of the names, default "en"

---Iterates over the store's Workers, as handles with `title` and `description`. Needs no key. Calls `listStore`.
---@param options? coreclaw.StoreOptions
---@return fun(): coreclaw.Worker?
function Client:store(options) end

---Iterates over the account's own Workers. Calls `listWorkers`.
---@param options? coreclaw.StoreOptions
---@return fun(): coreclaw.Worker?
function Client:workers(options) end

---@class coreclaw.ListOptions
---@field limit? integer   items per request, 1–100, default 100
---@field page? integer    first page, from 1
---@field timeout? number  seconds for each request

---@class coreclaw.StoreOptions: coreclaw.ListOptions
---@field keyword? string  words in title, slug or path

---Iterates over runs, newest month first, across calendar months (UTC+8). Calls `listWorkerRuns`.
---@param options? coreclaw.RunsOptions
---@return fun(): coreclaw.Run?
function Client:runs(options) end

---@class coreclaw.RunsOptions
---@field worker? string|coreclaw.Worker
---@field status? "ready"|"running"|"succeeded"|"failed"|"aborting"
---@field from? number|string  Unix seconds, or "YYYY-MM-DD" (days of UTC+8); default: the current month
---@field to? number|string    the same, this day included
---@field limit? integer       runs per request, 1–100, default 100
---@field timeout? number      seconds for each request

---The account's newest run, as a handle pinned to that run. Calls `getLastWorkerRun`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Client:last_run(options) end

---Runs a Worker with each of many inputs, several at a time, and iterates over the items as they end. One that
---fails never loses the others; a start whose outcome is unknown is reported and never made again.
---@param id string|coreclaw.Worker
---@param inputs table[]|fun(): table?  a list, or an iterator
---@param options? coreclaw.MapOptions
---@return fun(): coreclaw.MapItem?
function Client:map(id, inputs, options) end

---@class coreclaw.MapOptions
---@field concurrency? integer    runs at once, 1–1000, default 10
---@field wait_for_slot? boolean  wait where the plan allows no further run; default true
---@field on_start? fun(item: coreclaw.MapItem): boolean?   when a run was started; false stops
---@field on_update? fun(item: coreclaw.MapItem): boolean?  when its state was read; false stops
---@field require? "data"         a run without data rows is a failed one
---@field timeout? number         seconds for each run; default 3600, 0 = none
---@field poll_intervals? number[]
---@field system? coreclaw.System
---@field callback_url? string
---@field version? string
---@field check? boolean
---@field label? string           "#" and the input's index are put behind it

---@class coreclaw.MapItem
---@field index integer         which input, from 1
---@field input table           the input as it was given
---@field run? coreclaw.Run     the run, if one was started
---@field err? coreclaw.Error   why there is none, or why it did not succeed

---Looks for the run that a call with `unknown_outcome` may have started. Exactly one candidate: its handle. None,
---several, one that has not begun and may be older, or a list that could not be read to its end: nil and an
---`unknown_outcome` with `candidates`. Calls `listWorkerRuns`.
---@param err coreclaw.Error
---@param options? coreclaw.ReconcileOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
function Client:reconcile(err, options) end

---@class coreclaw.ReconcileOptions
---@field margin? number   seconds of grace around the call, default 3
---@field timeout? number  seconds for each request

---Lists the paid calls of the journal whose outcome is not in it, and looks for the run of each. Starts nothing.
---Calls `listWorkerRuns`.
---@param options? coreclaw.RecoverOptions
---@return coreclaw.Intents?
---@return coreclaw.Error?
function Client:recover(options) end

---@class coreclaw.RecoverOptions: coreclaw.ReconcileOptions
---@field all? boolean  every intent of the journal, the settled ones too

---@class coreclaw.Intents
---@field [integer] coreclaw.Intent  oldest first
---@field damaged integer[]          numbers of the lines that cannot be read

---Iterates over the saved tasks. Calls `listWorkerTasks`.
---@param options? coreclaw.TasksOptions
---@return fun(): coreclaw.Task?
function Client:tasks(options) end

---@class coreclaw.TasksOptions: coreclaw.StoreOptions
---@field worker? string|coreclaw.Worker

---Saves a task. Never repeated when its outcome is unknown. Calls `createWorkerTask`.
---@param options coreclaw.CreateTaskOptions
---@return coreclaw.Task?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Client:create_task(options) end

---@class coreclaw.CreateTaskOptions
---@field worker string|coreclaw.Worker
---@field title string
---@field description? string
---@field schedule? coreclaw.Schedule|false
---@field input? table          the Worker's own fields
---@field raw_input? table      the whole `input` instead of input and system
---@field system? coreclaw.System
---@field version? string       a concrete one, newest when absent
---@field label? string         for the journal
---@field timeout? number

---Iterates over the queue's items. Calls `listRunQueueItems`.
---@param options? coreclaw.QueueOptions
---@return fun(): coreclaw.QueueItem?
function Client:queue(options) end

---@class coreclaw.QueueOptions: coreclaw.ListOptions
---@field status? "waiting"|"inactive"

---Starts queued runs. Look at each outcome: the call succeeds even if items do not. Calls `activateRunQueueItems`.
---@param items (coreclaw.QueueItem|string)[]
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.QueueOutcome[]?
---@return coreclaw.Error?
---@return boolean? all  did every item succeed?
---@return coreclaw.Response?
function Client:activate(items, options) end

---Removes queued runs for good. Look at each outcome. Calls `releaseRunQueueItems`.
---@param items (coreclaw.QueueItem|string)[]
---@param options? coreclaw.ReleaseOptions
---@return coreclaw.QueueOutcome[]?
---@return coreclaw.Error?
---@return boolean? all
---@return coreclaw.Response?
function Client:release(items, options) end

---@class coreclaw.ReleaseOptions: coreclaw.TimeoutOptions
---@field reason? string

---@class coreclaw.QueueOutcome
---@field queue_ref string
---@field success boolean
---@field error? string
---@field sent coreclaw.Sent

---Calls an operation of API v2 by its name. Parameters of path, query and body stand in one table and are checked
---against the operation table; identifiers may be handles.
---@param id string
---@param params? table
---@param options? coreclaw.OperationOptions
---@return table? data  absent, null and {} are an empty table
---@return coreclaw.Error?
---@return coreclaw.Response?
function Client:operation(id, params, options) end

---@class coreclaw.OperationOptions: coreclaw.TimeoutOptions
---@field request_timeout? number  seconds for one HTTP exchange
---@field label? string            for the journal

---Sends a request of your own to the API. Anything but a GET counts as paid unless `class` says otherwise: it is
---sent at most once.
---@param request coreclaw.Request
---@return table? data
---@return coreclaw.Error?
---@return coreclaw.Response?
function Client:request(request) end

---@class coreclaw.Request
---@field method? "GET"|"POST"|"PUT"|"PATCH"|"DELETE"  default "GET"
---@field path string
---@field query? table<string, string|number|boolean>
---@field body? any
---@field class? "read"|"write"|"paid"|"last"
---@field label? string    for the journal
---@field timeout? number

---What this client has done so far. Sends nothing. The table is yours; the numbers only grow, but for `in_flight`.
---@return coreclaw.Stats
function Client:stats() end

---@class coreclaw.Stats
---@field requests integer        HTTP requests that were sent, repeats and files included
---@field in_flight integer       of them on their way now
---@field operations table<string, integer>  requests by operation; "download" and "request" (`client:request`) too
---@field retries integer         repeats
---@field throttles integer       answers that said "too many requests"
---@field failures table<string, integer>    requests that failed, by the kind of their error; repeated or not
---@field connections integer     opened; what is missing to `requests` used one again
---@field bytes_sent integer      of bodies, as they travelled
---@field bytes_received integer  of bodies, as they travelled: compressed
---@field time coreclaw.StatsTime seconds, summed over all requests that have ended

---@class coreclaw.StatsTime
---@field queued number      in line for a connection; a new one's host name is looked up here too
---@field connecting number  TCP and TLS
---@field answering number   from there to the first byte of the answer
---@field receiving number   from there to the last
---@field backoff number     between a failure and the repeat

---Forgets the key and the passwords, and zeroes the memory they were in. All calls raise from now on.
function Client:close() end

-- ---- Workers ----------------------------------------------------------------------------------

---A scraper of the platform, ready to be started.
---@class coreclaw.Worker
---@field id string            as the API wants it: a slug, or owner~name
---@field title? string        where it came from a list
---@field description? string
---@field raw? table           the list entry as it came
local Worker = {}

---The Worker's detail: name, username, version, readme, parameters. Calls `getWorker`.
---@param options? coreclaw.TimeoutOptions
---@return table?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:detail(options) end

---The Worker's input schema, in whichever of its two shapes the platform has it. Needs no key.
---Calls `getWorkerInputSchema`.
---@param options? coreclaw.TimeoutOptions
---@return table?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:input_schema(options) end

---The versions known of the Worker: the current one first, then those of this month's runs.
---Calls `getWorker` and `listWorkerRuns`.
---@param options? coreclaw.TimeoutOptions
---@return string[]?
---@return coreclaw.Error?
function Worker:versions(options) end

---The Worker's newest run, as a handle pinned to that run; nil, `not_found` if there is none. Calls `getWorkerLastRun`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:last_run(options) end

---Checks an input against the Worker's schema (read once, then kept) and fills its defaults in.
---Calls `getWorkerInputSchema`.
---@param custom? table
---@param options? coreclaw.PrepareOptions
---@return coreclaw.PreparedInput?
---@return coreclaw.Error?
function Worker:prepare(custom, options) end

---@class coreclaw.PrepareOptions: coreclaw.TimeoutOptions
---@field system? coreclaw.System
---@field defaults? boolean  fill them in; default true
---@field refresh? boolean   read the schema anew

---@class coreclaw.PreparedInput
---@field payload table                     the exact `input` that a start would send
---@field custom table                      the Worker's own fields, defaults filled in
---@field errors coreclaw.SchemaIssue[]     the run would fail
---@field warnings coreclaw.SchemaIssue[]   it may be meant so
---@field subtasks? integer                 into how many the run will be split
---@field fields? coreclaw.SchemaField[]    what the schema asks for, in its order

---@class coreclaw.SchemaField
---@field name string
---@field type? string         as the schema says it: "string", "integer", "array", …
---@field title? string
---@field description? string
---@field required boolean
---@field default? any         nil where there is none
---@field options? { label: string, value: any }[]  the values to choose from
---@field editor? string       form control, e.g. "select", "stringList"
---@field multiple? boolean    several of the options
---@field params? { param: string, title: string?, required: boolean, description: string? }[]  keys of each list item
---@field example? any         a value to try with
---@field section? string      caption of the group that begins here
---@field fields? coreclaw.SchemaField[]  of an object, where the schema tells them
---@field items? coreclaw.SchemaField     of an array, where the schema tells it
---@field closed? boolean      only a value of `options` is right, whatever the editor
---@field minimum? number
---@field maximum? number
---@field value_format? string of a date picker, e.g. "DD/MM/YYYY"
---@field types? string[]      where there are several

---@class coreclaw.SchemaIssue
---@field field string          path of the value: "keywords", "start_urls[2].url"
---@field message string        a sentence that begins with the path
---@field did_you_mean? string  a name or value that exists

---Starts a run and returns at once. The table becomes `input.parameters.custom`. Never repeated when its outcome is
---unknown: error `unknown_outcome`. Calls `runWorker`.
---@param custom? table  the Worker's own fields
---@param options? coreclaw.StartOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:start(custom, options) end

---@class coreclaw.StartOptions
---@field system? coreclaw.System
---@field raw_input? table      the whole `input` instead of both
---@field callback_url? string  where the platform posts when the run ends: see `coreclaw.callback`
---@field version? string       a concrete one, newest when absent
---@field check? boolean        hold the input against the Worker's schema first: see `worker:prepare`
---@field label? string         for the journal
---@field timeout? number       seconds for the whole call

---The resources of a run.
---@class coreclaw.System
---@field memory? 512|1024|2048|4096|8192|16384  MB
---@field cpus? 0.125|0.25|0.5|1|2|4
---@field execute_limit_time_seconds? integer
---@field max_total_charge? number|string
---@field max_total_traffic? number|string
---@field proxy_region? string  two capital letters: see `client:proxy_regions`

---Starts a run, waits for its end, and returns it if it succeeded. Otherwise nil and an error: `run_failed` or
---`run_aborted` with the run in it and the log's last error in the message. Calls `runWorker`, `getWorkerRun`.
---@param custom? table
---@param options? coreclaw.CallOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
function Worker:call(custom, options) end

---@class coreclaw.CallOptions: coreclaw.StartOptions
---@field on_update? fun(run: coreclaw.Run): boolean?  after each read of the run's state; false stops the waiting
---@field poll_intervals? number[]
---@field timeout? number    seconds for all of it; default 3600, 0 = none
---@field require? "data"    a run that brought only diagnostic rows, or none, is a failed one

---Starts a run and lets the platform hold the answer until the run has ended, at most 5 minutes; the answer shows a
---window of the rows. Calls `runWorker`.
---@param custom? table
---@param options? coreclaw.SyncOptions
---@return coreclaw.SyncResult?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:run_sync(custom, options) end

---@class coreclaw.SyncOptions: coreclaw.StartOptions
---@field limit? integer          rows of the window, 1–100, default 20
---@field page? integer           from 1
---@field skip_internal? boolean  leave out the platform's own row id, default true

---@class coreclaw.SyncResult: coreclaw.Page
---@field run coreclaw.Run     the run; read on with `run:results()`, or `run:wait()` if it was cut
---@field status string        the run's status when the platform answered
---@field finished boolean     false: the platform stopped waiting (5 minutes), the run goes on

---Puts a run into the queue instead of starting it; `item:activate()` starts it. Calls `queuedRunWorker`.
---@param custom? table
---@param options? coreclaw.StartOptions
---@return coreclaw.QueueItem?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:queue(custom, options) end

-- ---- runs -------------------------------------------------------------------------------------

---One execution of a Worker.
---@class coreclaw.Run
---@field slug string             the run's id (`run_slug`)
---@field status? coreclaw.RunStatus|string  nil until it was read
---@field results_count integer   rows so far, or in the end
---@field request_id? string      of the call that started it: what the platform's support asks for
---@field scraper_slug? string    the Worker
---@field scraper_title? string
---@field version? string         version that ran
---@field usage? string           cost, a decimal in a string
---@field traffic? integer
---@field origin? string          "api", "web", …
---@field started_at? integer     Unix seconds; 0 when not yet
---@field finished_at? integer    Unix seconds; 0 when not yet
---@field duration? integer       seconds
---@field err_msg? string         may be absent on failed runs; the log tells more
---@field raw? table              the last answer's data as it came
local Run = {}

---@alias coreclaw.RunStatus "ready"|"running"|"succeeded"|"failed"|"aborting"|"aborted"

---The run as a short text, to be kept and given to `client:run` later, by whatever process. Holds no key.
---@return string
function Run:serialize() end

---Has the run come to its end? (`aborting` has not.)
---@return boolean
function Run:is_final() end

---Reads the run's state anew. Calls `getWorkerRun`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Run?  itself, with new fields
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:reload(options) end

---Waits until the run has ended. On timeout: error `wait_timeout` with the run in it; the run goes on. It goes on as
---well when `on_update` returns false: error `cancelled`. Calls `getWorkerRun`.
---@param options? coreclaw.WaitOptions
---@return coreclaw.Run?  itself: look at `status`
---@return coreclaw.Error?
function Run:wait(options) end

---@class coreclaw.WaitOptions
---@field timeout? number            seconds; default 3600, 0 = none
---@field on_update? fun(run: coreclaw.Run): boolean?  after each read; false stops
---@field poll_intervals? number[]   seconds between the reads; the last one repeats

---Asks the platform to abort the run. Success means accepted, not done: `wait` or `reload` tell. A run that has ended
---gives error `run_conflict`. Calls `abortWorkerRun`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:abort(options) end

---Starts the run's Worker again with the same input: a new run, which is paid for. Calls `rerunWorkerRun`.
---@param options? coreclaw.SavedStartOptions
---@return coreclaw.Run?  the new run
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:rerun(options) end

---@class coreclaw.SavedStartOptions: coreclaw.TimeoutOptions
---@field callback_url? string
---@field label? string  for the journal

---Iterates over the rows of the run, page by page in constant memory. With `follow = true` also over those that are
---still to come, each once. The second value is a token: `from = token` goes on behind that row, in any process.
---Calls `listWorkerRunResults`.
---@param options? coreclaw.RowsOptions
---@return fun(): table?, string?
function Run:results(options) end

---Iterates over the pages of the run's results, with a token behind each. Calls `listWorkerRunResults`.
---@param options? coreclaw.RowsOptions
---@return fun(): coreclaw.Page?, string?
function Run:pages(options) end

---@class coreclaw.RowsOptions: coreclaw.PageOptions
---@field follow? boolean           also the rows that are still to come, until the run has ended
---@field from? string              a token: go on behind the row or page it came with
---@field ahead? integer            most pages on their way: where the loop would wait for them; 0–64, default 10
---@field timeout? number           seconds for each page; with `follow` for all of it, default 3600, 0 = none
---@field poll_intervals? number[]  with `follow`: seconds between reads without news; the last one repeats
---@field on_update? fun(run: coreclaw.Run): boolean?  with `follow`: after each read of the run's state; false stops

---One page of results. Calls `listWorkerRunResults`.
---@param options? coreclaw.PageOptions
---@return coreclaw.Page?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:results_page(options) end

---@class coreclaw.PageOptions
---@field page? integer           from 1, default 1
---@field limit? integer          rows per page, 1–100; default 20 of `results_page`, 100 of iterators
---@field skip_internal? boolean  leave out the platform's own row id, default true
---@field timeout? number

---@class coreclaw.Page
---@field list table[]       rows (or items) of this page
---@field headers table[]    columns: key, label, and sometimes format
---@field count? integer     total the platform speaks of, where it does
---@field page integer       number of this page, from 1
---@field limit integer      rows a page was asked to hold
---@field raw table          the answer's data as it came

---The run's log: an excerpt, and the link to all of it. Calls `getWorkerRunLog`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Log?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:log(options) end

---@class coreclaw.Log
---@field entries coreclaw.LogEntry[]  an excerpt, often only the newest or system lines
---@field url? string                  link to the full log, signed and temporary
---@field count? integer               number of entries the platform speaks of
---@field raw table                    the answer's data as it came

---@class coreclaw.LogEntry
---@field text string     what was logged; may hold several lines
---@field level? "debug"|"info"|"warn"|"error"  nil where the platform gave none
---@field time? number    Unix seconds
---@field group? string   id of the subtask, as text

---Iterates over the entries of the run's log; the second value: does it match, or stand beside one? With
---`follow = true` also over those that are still to come. Calls `getWorkerRunLog`.
---@param options? coreclaw.LogsOptions
---@return fun(): coreclaw.LogEntry?, boolean?
function Run:logs(options) end

---@class coreclaw.LogsOptions
---@field follow? boolean         also the entries that are still to come, until the run has ended
---@field level? "debug"|"info"|"warn"|"error"  this one and above, and entries without a level
---@field match? string           a Lua pattern that the text must hold
---@field ignore_case? boolean    the pattern does not mind upper and lower case
---@field context? integer        so many entries before and after those that match, default 0
---@field timeout? number         seconds; with `follow` for all of it, default 3600, 0 = none
---@field poll_intervals? number[]  with `follow`: seconds between reads without news; the last one repeats
---@field on_update? fun(run: coreclaw.Run): boolean?  with `follow`: after each read of the run's state; false stops

---Tells whether the run brought usable data. Calls `getWorkerRun`, `listWorkerRunResults`, `getWorkerRunLog`.
---@param options? coreclaw.VerdictOptions
---@return coreclaw.Verdict?  nil when the run's state cannot be read
---@return coreclaw.Error?
function Run:verdict(options) end

---@class coreclaw.VerdictOptions
---@field limit? integer   rows to read, 1–20, default 5
---@field timeout? number  seconds for each call

---@class coreclaw.Verdict
---@field verdict "PASS"|"NO_DATA"|"ERROR_RECORD"|"FAILED"|"RUNNING"
---@field status string         of the run
---@field count integer         rows of the run
---@field fields string[]       names of the first row's real fields, at most 10
---@field fields_count integer  how many there are
---@field reason? string        why it is not PASS
---@field lines? string[]       FAILED: lines of the log that tell of trouble, at most 20 with their neighbours

---Exports the run's rows to a file: all of it under that name, or nothing. One that broke off goes on where it was
---when it is called again. Calls `exportWorkerRunResults`.
---@param path string
---@param options? coreclaw.ExportOptions
---@return coreclaw.Download?
---@return coreclaw.Error?
function Run:export(path, options) end

---@alias coreclaw.Format "csv"|"json"|"jsonl"|"xlsx"|"xls"|"xml"|"html"|"rss"

---@class coreclaw.ExportOptions: coreclaw.FileOptions
---@field format? coreclaw.Format  default: as the path ends, else csv
---@field fields? string[]         columns by their keys, default all

---A link to an export of the run's rows: signed, and good for about half an hour. Whoever has it can read them.
---Calls `exportWorkerRunResults`.
---@param options? coreclaw.ExportUrlOptions
---@return string?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:export_url(options) end

---@class coreclaw.ExportUrlOptions: coreclaw.TimeoutOptions
---@field format? coreclaw.Format  default "csv"
---@field fields? string[]         columns by their keys, default all

---Downloads the run's whole log to a file, as `run:export` does with rows. Calls `getWorkerRunLog`.
---@param path string
---@param options? coreclaw.FileOptions
---@return coreclaw.Download?
---@return coreclaw.Error?
function Run:download_log(path, options) end

---@class coreclaw.FileOptions
---@field on_progress? fun(bytes: integer, total: integer?): boolean?  a few times a second; false stops
---@field timeout? number       seconds for all of it; default 3600, 0 = none
---@field idle_timeout? number  seconds without a byte; default 60
---@field overwrite? boolean    may the path exist? default true
---@field sync? boolean         shall the file outlive a power cut? default true
---@field max_bytes? integer    no more than that; default: no limit

---@class coreclaw.Download
---@field path string
---@field bytes integer      length of the file
---@field attempts integer   requests it took

-- ---- saved tasks and the queue ----------------------------------------------------------------

---A saved task: one Worker with an input of its own, and perhaps a schedule.
---@class coreclaw.Task
---@field slug string           the task's id
---@field title? string
---@field description? string
---@field version? string       Worker version it runs
---@field worker_id? string     the Worker, as `client:worker` takes it
---@field schedule? coreclaw.Schedule|false  as a person says it; false: switched off
---@field raw? table            as it came
local Task = {}

---Exactly one of daily, weekly, monthly, once.
---@class coreclaw.Schedule
---@field daily? string|true      "HH:mm", or true beside `at`
---@field weekly? string|integer  "monday", "mon", or 1 (Monday) to 7
---@field monthly? integer        day of the month, 1 to 31
---@field once? string            "YYYY-MM-DD"
---@field at? string              "HH:mm", where it does not stand in `daily`
---@field enabled? boolean        default true

---Reads the task anew. Calls `getWorkerTask`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:reload(options) end

---Changes title, description or schedule; what is left out stays. Calls `updateWorkerTask`.
---@param changes coreclaw.TaskChanges
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:update(changes) end

---@class coreclaw.TaskChanges
---@field title? string
---@field description? string
---@field schedule? coreclaw.Schedule|false
---@field timeout? number

---The stored input, in whichever form it was stored, and the version. Calls `getWorkerTaskInput`.
---@param options? coreclaw.TimeoutOptions
---@return { input: any, version: string? }?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:input(options) end

---Replaces the stored input, in the full form so that the task can run. Calls `updateWorkerTaskInput`.
---@param custom? table  the Worker's own fields
---@param options? coreclaw.SetInputOptions
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:set_input(custom, options) end

---@class coreclaw.SetInputOptions: coreclaw.TimeoutOptions
---@field raw_input? table  the whole `input` instead of both
---@field system? coreclaw.System
---@field version? string

---Deletes the task. Calls `deleteWorkerTask`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:delete(options) end

---Starts a run of the saved input. Calls `runWorkerTask`.
---@param options? coreclaw.SavedStartOptions
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:start(options) end

---Starts a run and lets the platform wait for its end, as `worker:run_sync`. Calls `runWorkerTask`.
---@param options? coreclaw.SavedSyncOptions
---@return coreclaw.SyncResult?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:run_sync(options) end

---@class coreclaw.SavedSyncOptions: coreclaw.SavedStartOptions
---@field limit? integer          rows of the window, 1–100, default 20
---@field page? integer           from 1
---@field skip_internal? boolean  leave out the platform's own row id, default true

---A run that waits to be activated.
---@class coreclaw.QueueItem
---@field queue_ref string      the item's id
---@field queue_status? string  "waiting" or "inactive"; nil until it was read
---@field raw table             as it came
local QueueItem = {}

---Starts the queued run. Tells no run id: the platform has none to give. Calls `activateRunQueueItems`.
---@param options? coreclaw.TimeoutOptions
---@return coreclaw.QueueItem?
---@return coreclaw.Error?
---@return coreclaw.Response?
function QueueItem:activate(options) end

---Removes the item for good. Calls `releaseRunQueueItem`.
---@param options? coreclaw.ReleaseOptions
---@return coreclaw.QueueItem?
---@return coreclaw.Error?
---@return coreclaw.Response?
function QueueItem:release(options) end

-- ---- after a crash ----------------------------------------------------------------------------

---A paid call of the journal: what was meant, and what may have come of it.
---@class coreclaw.Intent
---@field id string           of the journal; `err.intent` of an `unknown_outcome`
---@field operation string    "runWorker", …
---@field state coreclaw.IntentState
---@field message string      the state in words
---@field label? string       as given to the call
---@field worker? string      the Worker
---@field path table<string, string>  identifiers in the call's path
---@field at number           Unix seconds at which it was meant
---@field digest? string      of the input: see `item:matches`
---@field window coreclaw.TimeWindow  in which its run began, by the clock of its machine
---@field candidates coreclaw.Run[]  runs that may be its own
---@field run? coreclaw.Run   the only one that can be; with `all` also the one that is known
---@field queue_ref? string   with `all`: of the queued run
---@field slug? string        with `all`: of the task that was created
---@field request_id? string  with `all`
---@field kind? string        of the error that it ended with
---@field err? coreclaw.Error why it could not be looked for
---@field host? string        machine that made the call
---@field pid integer
local Intent = {}

---@alias coreclaw.IntentState
---| "found"     # one run can be it, and that run can be no other's: `run`
---| "several"   # runs, or other intents, that cannot be told apart, or a run that has not begun: `candidates`
---| "none"      # no run of that time is to be seen (yet)
---| "unknown"   # it cannot be looked for: `message`, `err`
---| "started"   # with `all` only, as all that follow
---| "adopted"
---| "refused"
---| "dismissed"
---| "busy"      # being made now

---Writes to the journal that this came of it: not listed again, and taken for no other intent's.
---@param target? coreclaw.Run|coreclaw.Task|coreclaw.QueueItem|string  default: `run`
---@return coreclaw.Run|string|nil  the run; the id where it is none
---@return coreclaw.Error?
function Intent:adopt(target) end

---Writes to the journal that nothing came of it, or that nobody needs to know: not listed again.
---@return true?
---@return coreclaw.Error?
function Intent:dismiss() end

---Was it made with this input? Compares digests; take the options that were given to the start.
---@param custom? table
---@param options? coreclaw.MatchOptions
---@return boolean
function Intent:matches(custom, options) end

---@class coreclaw.MatchOptions
---@field system? coreclaw.System
---@field raw_input? table

-- ---- callbacks --------------------------------------------------------------------------------

---The receiving side of `callback_url`.
---@class coreclaw.Callback
local Callback = {}

---An address for `callback_url` that only you can make: base with a random nonce and the HMAC-SHA256 of its query.
---@param base string
---@param secret string
---@param options? coreclaw.CallbackUrlOptions
---@return string
function Callback.url(base, secret, options) end

---@class coreclaw.CallbackUrlOptions
---@field expires_in? integer      seconds
---@field crypto? coreclaw.Crypto  default: a library that the program has

---@class coreclaw.Crypto
---@field hmac fun(key: string, text: string): string  HMAC-SHA256, 32 raw bytes
---@field random? fun(size: integer): string           bytes fit for secrets; default /dev/urandom
---@field name? string

---Was this address made by `callback.url` with the same secret, and is it still good? Compares in constant time.
---@param given? string  URL, path with query, or query; nil is not good
---@param secret string
---@param options? coreclaw.CallbackVerifyOptions
---@return true?
---@return string  the nonce; or the reason: "not signed", "wrong signature", "expired"
function Callback.verify(given, secret, options) end

---@class coreclaw.CallbackVerifyOptions
---@field now? number              Unix seconds, default the clock
---@field crypto? coreclaw.Crypto

---Makes a test for duplicates: true when an event of the same run and status came before; false and a message where
---the store failed. Without a store this process remembers the last 10000.
---@param store? coreclaw.SeenStore
---@param options? coreclaw.SeenOptions
---@return fun(event: coreclaw.Event): boolean, string?
function Callback.seen(store, options) end

---@class coreclaw.SeenStore
---@field add fun(key: string, ttl: number): boolean?, string?  true: new; false: there already; nil, why: not known

---@class coreclaw.SeenOptions
---@field ttl? number   seconds, default a week
---@field max? integer  size of the own memory

---Reads the body of a callback, in any of its three variants.
---@param body? string    nil is an error like any other: nothing was read
---@param headers? table  the request's, to tell a compressed body from a broken one
---@return coreclaw.Event?
---@return coreclaw.Error?  kind "bad_response"
function Callback.parse(body, headers) end

---What a callback tells. Do not trust it: `event:run(client):reload()` before acting.
---@class coreclaw.Event
---@field variant "v2"|"v2-early"|"v1"  which of the platform's three bodies it was
---@field run_slug? string        the run; nil where the body has a number only ("v2-early")
---@field run_id? string          that number, as its exact digits
---@field status coreclaw.RunStatus|string
---@field final boolean           has the run come to its end? (`aborting` has not)
---@field error_message? string
---@field result_message? string
---@field results_count? integer
---@field started_at? integer     Unix seconds
---@field finished_at? integer    Unix seconds
---@field duration? integer       seconds
---@field usage? string           cost, a decimal in a string (v1)
---@field raw table               the body as it came
local Event = {}

---A handle to the event's run. nil and an error where only its number is known: no operation takes that.
---@param client coreclaw.Client
---@return coreclaw.Run?
---@return coreclaw.Error?
function Event:run(client) end

---What makes two deliveries the same: run and status.
---@return string
function Event:key() end

-- ---- tasks that run, and other people's loops -------------------------------------------------

---A function that runs beside others: `coreclaw.spawn`.
---@class coreclaw.Spawned
---@field status "running"|"done"|"failed"
---@field err? any            what it raised
---@field traceback? string   where
local Spawned = {}

---Waits until the task has ended; returns what it returned, or raises what it raised.
---@return any ...
function Spawned:join() end

---Waits at most so many seconds until the task has ended. Raises nothing of it.
---@param seconds number
---@return boolean ended
function Spawned:wait(seconds) end

---Asks the task to stop: what it waits for ends as `cancelled`; a start that has left as `unknown_outcome`. No run is
---aborted.
function Spawned:cancel() end

---@class coreclaw.Host
---@field name? string            for messages
---@field is_here fun(): boolean  does a coroutine of this host run, which `wait` may suspend?
---@field wait fun(wake_me: fun(wake: fun()), seconds: number?)  suspends until woken or the seconds are up
---@field spawn? fun(fn: fun())   runs fn in a new coroutine of the host: for coreclaw.spawn

---@class coreclaw.Plug
---@field fd fun(): integer       readable when `step` has something to do: watch it while `busy`
---@field step fun()              does what is ready, and wakes whoever waited for it; never blocks
---@field busy fun(): boolean     is anything on its way?

-- ---- require "coreclaw.prometheus" ------------------------------------------------------------

---`client:stats()` as Prometheus reads it: `require "coreclaw.prometheus"`.
---@class coreclaw.prometheus
---@field content_type string  of an answer with such a text
local prometheus = {}

---The text of one `client:stats()`, or of many with labels that tell them apart.
---@param sources coreclaw.Stats|{ stats: coreclaw.Stats, labels: table<string, string>? }[]
---@return string
function prometheus.text(sources) end

-- ---- require "coreclaw.sandbox" ---------------------------------------------------------------

---The whole platform on loopback, to try and to test against without an account: `require "coreclaw.sandbox"`.
---@class coreclaw.sandbox
local sandbox = {}

---Starts a sandbox and waits until it answers.
---@param options? coreclaw.sandbox.Options
---@return coreclaw.Sandbox?
---@return string? message
function sandbox.start(options) end

---The controls of a sandbox that another process has started. It cannot be stopped from here.
---@param options { url: string, secret: string }
---@return coreclaw.Sandbox
function sandbox.attach(options) end

---@class coreclaw.sandbox.Options
---@field port? integer              port of the API on 127.0.0.1; 0, the default, picks a free one
---@field key? string                the API key; a random one by default
---@field plan? "free"|"starter"|"pro"|"business"  how many runs at once (default business, 50)
---@field balance? number|string     money in the account (default 100)
---@field traffic? integer           bytes of traffic left in the account
---@field accounts? coreclaw.sandbox.Account[]  more accounts
---@field workers? string            folder with Worker files of your own
---@field sync_wait? number          longest wait of a sync start, seconds (default 300)
---@field ready_for? number          how long a run stays `ready`, seconds (default 0.02)
---@field abort_for? number          how long it stays `aborting` after its work has stopped, seconds (default 0.05)
---@field abort_ends? "failed"|"aborted"|"never"  what an aborted run ends in (default failed)
---@field log_format? "objects"|"strings"  entries of the run log (default objects)
---@field data? "absent"|"{}"|"null" `data` of answers that have none to give (default absent)
---@field clock? "real"|"virtual"    virtual: time stands still except for :advance (default real)
---@field link_lifetime? number      seconds that signed links live (default 1800)
---@field callback_variant? "v2"|"v2-early"|"v1"  body of callbacks (default: that of the API which started the run)
---@field callback_copies? integer   how often each callback is delivered (default 1)
---@field callback_order? "kept"|"reversed"  reversed: the end is told first (default kept)
---@field tls? boolean               also serve HTTPS and HTTP/2, at tls_url
---@field data_dir? string           folder in which tasks, runs and queue survive the end of the sandbox
---@field cpath? string              where LuaJIT finds coreclaw/core.so, as in package.cpath

---@class coreclaw.sandbox.Account
---@field key string
---@field name? string
---@field plan? "free"|"starter"|"pro"|"business"
---@field balance? number|string
---@field traffic? integer
---@field state? "expired"|"disabled"|"unknown"

---@class coreclaw.Sandbox
---@field url string          base URL of the API
---@field key string          API key of the main account
---@field site_url string     the small web site for Workers to read
---@field files_url string    second origin: exports and logs
---@field hook_url string     takes callbacks: answers 204 and records them (origin "hook")
---@field tls_url? string     the API over TLS, with HTTP/2 (option tls)
---@field ca_file? string     certificate to trust there
---@field refused_url string  an address where every connection is refused
---@field secret string       opens the control endpoint
---@field pid integer         process id of the server
local Sandbox = {}

---Stops it and waits until nothing of it is left. May be called again.
function Sandbox:stop() end

---Every request since the start or the last reset: method, path, query, headers (key masked), body, operation, status.
---@return table[]
function Sandbox:requests() end

---Forgets the requests that came.
function Sandbox:reset_requests() end

---How many runs were really started; each of them; and how many for each intent (path, a blank, the input as sent).
---@return integer count
---@return table[] runs
---@return table<string, integer> by_intent
function Sandbox:paid() end

---Makes coming requests go wrong. When several faults meet a request, the first one set wins.
---@param spec coreclaw.sandbox.Fault
---@return integer id
function Sandbox:fault(spec) end

---Every fault with `seen` (requests it concerns) and `hits`.
---@return table[]
function Sandbox:faults() end

---Nothing goes wrong any more.
function Sandbox:clear_faults() end

---Every callback that was delivered, or could not be: run_slug, url, run_status, body, status (HTTP) or error.
---@return table[]
function Sandbox:callbacks() end

---Moves the sandbox's time forward; everything that waits in it wakes at its own moment.
---@param seconds number
---@return number now  Unix time of the sandbox
function Sandbox:advance(seconds) end

---Unix time of the sandbox.
---@return number
function Sandbox:time() end

---@class coreclaw.sandbox.Fault
---@field operation? string         which requests: those of this operation ("runWorker")
---@field method? string            … with this method
---@field path? string              … whose path matches this Lua pattern
---@field origin? "api"|"site"|"files"|"hook"  … at this part of the sandbox (default api)
---@field agent? string             … from clients with exactly this `user_agent`
---@field times? integer            so many requests (default 1, or no end with probability)
---@field nth? integer              the n-th request, counted from the setting of the fault
---@field probability? number       each request with this chance
---@field seed? integer             of the chance: the same numbers every time
---@field delay? number             seconds before the answer, after the work
---@field header_delay? number      seconds before anything is done
---@field work? boolean             do the work although the answer is replaced (default false)
---@field status? integer           answer with this HTTP status
---@field code? integer             … with this code of the platform (status 200 unless given)
---@field message? string           … and these words
---@field body? string              … with exactly this body
---@field content_type? string      … and this content type
---@field headers? table<string, string>  further headers
---@field redirect? string          answer with a redirect to this URL (302 unless status is given)
---@field huge? integer             answer with so many bytes
---@field raw? string               exactly these bytes, then the end of the connection (HTTP/1.1)
---@field close? "before"|"after"   close the connection without an answer, before or after the work
---@field refuse? number            end the connection without an answer, and refuse new ones for so many seconds
---@field reset? boolean            the same with a reset (with close = "after", after the work)
---@field stall_after? integer      stop after so many bytes of the body (0: after the head) …
---@field stall_for? number         … for so many seconds (default 300)
---@field dribble? { bytes?: integer, interval?: number }  a few bytes at a time: the body, or all of `raw`
---@field truncate_after? integer   so many bytes of the body, then the end of the connection
---@field content_length? integer   a false Content-Length
---@field gzip? "good"|"damaged"    compressed, with a wrong checksum where damaged
---@field late_rows? integer        result pages of a run going on lack the newest rows
---@field repeat_rows? integer      result pages of a run going on begin with rows of the page before
---@field expired? boolean          (files) the link has expired
---@field changed? boolean          (files) the file has been written anew

return coreclaw
