/**
 * The RetainStream API from JavaScript: browsers and Node 20.3 or later, no dependencies.
 *
 * Every call resolves to `{data, page}`, as in the API's answer; only lists have a `page`. Every refusal throws a {@link RetainStreamError}.
 *
 * @example
 * const api = new RetainStreamAPI("http://localhost:5000");
 * await api.login("alex.chen@netflix.com", "password");
 * for await (const customer of api.everyHighRiskCustomer({plan: "premium"})) console.log(customer.customer_id, customer.probability);
 */

/** @typedef {import("./types/api-types.js").components["schemas"]} Schemas */
/** @typedef {{limit: number, next?: string | null, number?: number | null, total?: number | null}} Page */
/**
 * @template T
 * @typedef {{data: T, page?: Page}} Answer
 */

import { addressOf } from "./customer-ids.js";
import { firstPart } from "./first-part.js";
import { Requests, RetainStreamError } from "./requests.js";
import { putPiece } from "./upload.js";

export { addressOf, idOf } from "./customer-ids.js";
export {
  Conflict,
  Forbidden,
  InvalidRequest,
  NotFound,
  NotSignedIn,
  RateLimited,
  RetainStreamError,
  Unavailable,
} from "./requests.js";

/** Bytes of a file that a preview reads: some ten thousand rows. */
const PREVIEWED_BYTES = 2_000_000;

export class RetainStreamAPI {
  #requests;

  /**
   * @param {string} [baseUrl] the origin of the API, without `/api`; empty for the page's own origin
   * @param {import("./requests.js").Options} [options]
   */
  constructor(baseUrl = "", options = {}) {
    this.#requests = new Requests(baseUrl, options);
  }

  /** @param {string | null} token from an earlier sign-in; null removes the token */
  setToken(token) {
    this.#requests.setToken(token);
  }

  /** Whether the client has a token. The API may still refuse it. */
  get signedIn() {
    return this.#requests.signedIn;
  }

  // ---------------------------------------------------------------- accounts

  /**
   * Sign in and keep the token.
   * @param {string} email
   * @param {string} password
   * @returns {Promise<Answer<Schemas["SignedIn"]>>}
   */
  async login(email, password) {
    return this.#keepToken(await this.#post("/api/auth/login", { email, password }));
  }

  /**
   * Create an account where registration is open, and keep the token.
   * @param {string} email
   * @param {string} password
   * @param {string} [name]
   * @returns {Promise<Answer<Schemas["SignedIn"]>>}
   */
  async register(email, password, name) {
    return this.#keepToken(await this.#post("/api/auth/register", { email, password, ...(name ? { name } : {}) }));
  }

  /** Revoke the token and remove it. */
  async logout() {
    try {
      return await this.#post("/api/auth/logout");
    } finally {
      this.#requests.setToken(null);
    }
  }

  /** @returns {Promise<Answer<Schemas["Me"]>>} the account of the token */
  getMe() {
    return this.#get("/api/auth/me");
  }

  /**
   * Change your own password and keep the new token.
   * @param {string} currentPassword
   * @param {string} newPassword
   * @returns {Promise<Answer<Schemas["SignedIn"]>>}
   */
  async changePassword(currentPassword, newPassword) {
    const body = { current_password: currentPassword, new_password: newPassword };
    return this.#keepToken(await this.#post("/api/auth/password", body));
  }

  /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["UserView"][]>>} */
  getUsers(query = {}) {
    return this.#get("/api/auth/users", query);
  }

  /** Create an account. @param {Omit<Schemas["NewUser"], "role"> & {role?: Schemas["Role"]}} user @returns {Promise<Answer<Schemas["UserView"]>>} */
  addUser(user) {
    return this.#post("/api/auth/users", user);
  }

  /** @param {Schemas["UserChange"]} change @returns {Promise<Answer<Schemas["UserView"]>>} */
  changeUser(change) {
    return this.request("/api/auth/users", { method: "PATCH", body: change });
  }

  // --------------------------------------------------------------- dashboard

  /** @returns {Promise<Answer<Schemas["MetricsView"]>>} */
  getDashboardMetrics() {
    return this.#get("/api/dashboard/metrics");
  }

  /** @param {string} [plan] @returns {Promise<Answer<Schemas["DistributionView"]>>} */
  getDistribution(plan) {
    return this.#get("/api/dashboard/distribution", { plan });
  }

  /** @returns {Promise<Answer<Schemas["FactorView"][]>>} the top factors of the current predictions, strongest first */
  getTopFeatures() {
    return this.#get("/api/dashboard/features");
  }

  /**
   * Score a sample of customers now.
   * @param {number} [sampleSize]
   * @returns {Promise<Answer<Schemas["SampleView"]>>}
   */
  runPredictions(sampleSize = 100) {
    return this.#post("/api/dashboard/predict", { sample_size: sampleSize });
  }

  // --------------------------------------------------------------- customers

  /**
   * @param {number} [page]
   * @param {number} [limit]
   * @param {{plan?: string, min_probability?: number, sort?: "probability" | "value", cursor?: string}} [filters] a cursor replaces `page`
   * @returns {Promise<Answer<Schemas["AtRiskView"][]>>}
   */
  getHighRiskCustomers(page = 1, limit = 10, filters = {}) {
    return this.#get("/api/customers/high-risk", { ...(filters.cursor ? {} : { page }), limit, ...filters });
  }

  /**
   * All customers at risk, highest risk first, page by page.
   * @param {{plan?: string, min_probability?: number, sort?: "probability" | "value"}} [filters]
   * @returns {AsyncGenerator<Schemas["AtRiskView"], void, void>}
   */
  everyHighRiskCustomer(filters = {}) {
    return this.#every("/api/customers/high-risk", { limit: 100, ...filters });
  }

  /** @param {string} customerId @returns {Promise<Answer<Schemas["CustomerView"]>>} */
  getCustomer(customerId) {
    return this.#get(`/api/customers/${addressOf(customerId)}`);
  }

  /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["CustomerSummary"][]>>} */
  getCustomers(query = {}) {
    return this.#get("/api/customers", query);
  }

  /** @returns {AsyncGenerator<Schemas["CustomerSummary"], void, void>} */
  everyCustomer() {
    return this.#every("/api/customers", { limit: 100 });
  }

  /**
   * @param {string} customerId
   * @param {Record<string, unknown>} features values by column of the feature schema
   * @returns {Promise<Answer<Schemas["CustomerView"]>>}
   */
  putCustomer(customerId, features) {
    return this.request(`/api/customers/${addressOf(customerId)}`, { method: "PUT", body: { features } });
  }

  /**
   * Deletes the synthetic customers that a stack was tried with. Call it again while the answer says `more`.
   * @returns {Promise<Answer<Schemas["SamplesRemoved"]>>}
   */
  deleteSampleCustomers() {
    return this.request("/api/customers", { method: "DELETE", query: { source: "synthetic" } });
  }

  /** @param {string} customerId */
  deleteCustomer(customerId) {
    return this.request(`/api/customers/${addressOf(customerId)}`, { method: "DELETE" });
  }

  /**
   * Record whether a customer left.
   * @param {string} customerId
   * @param {boolean} churned
   * @param {string} [date] the day of leaving, or a day on which the customer was still one, as YYYY-MM-DD; default: known as of today
   * @param {string} [leftAfter] the last day as a customer, where the day of leaving is not known; `date` is then the last possible day
   * @returns {Promise<Answer<Schemas["CustomerView"]>>}
   */
  recordOutcome(customerId, churned, date, leftAfter) {
    const body = { churned, ...(date ? { date } : {}), ...(leftAfter ? { left_after: leftAfter } : {}) };
    return this.request(`/api/customers/${addressOf(customerId)}/outcome`, {
      method: "POST",
      body,
      repeatable: true,
    });
  }

  /**
   * A segment of the customers by criteria: its size, value and customers.
   * @param {Partial<Schemas["SegmentRequest"]>} [segment]
   * @returns {Promise<Answer<Schemas["SegmentView"]>>}
   */
  segmentCustomers(segment = {}) {
    return this.request("/api/customers/segment", { method: "POST", body: segment, repeatable: true });
  }

  // ----------------------------------------------------------------- imports

  /**
   * Upload a CSV file of customers. The import starts after the last byte; {@link getImport} shows its progress.
   * @param {Blob} file
   * `featuresAsOf` and `outcomesAsOf` are the days that the features describe and on which the outcomes were known; `asOf` is the day of both.
   * `decimal`, `encoding` and `sheet` say how to read the file, and `ids` answers the question of an earlier import.
   * @param {{name?: string, asOf?: string, featuresAsOf?: string, outcomesAsOf?: string, gzip?: boolean, decimal?: string, encoding?: string, sheet?: string, ids?: "as-known" | "as-written", onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["ImportView"]>>}
   */
  async importCustomers(file, options = {}) {
    const name = options.name ?? /** @type {File} */ (file).name ?? "customers.csv";
    const request = {
      file_name: name,
      size: file.size,
      as_of: options.asOf,
      features_as_of: options.featuresAsOf,
      outcomes_as_of: options.outcomesAsOf,
      gzip: options.gzip,
      decimal: options.decimal,
      encoding: options.encoding,
      sheet: options.sheet,
      ids: options.ids,
    };
    const started = await this.#start("/api/customers/imports", request);
    await this.#upload(file, started.data.upload, options);
    if (started.data.upload.complete)
      return this.request(started.data.upload.complete, { method: "POST", repeatable: true });
    return this.getImport(started.data.import_id);
  }

  /** @param {string} importId @returns {Promise<Answer<Schemas["ImportView"]>>} */
  getImport(importId) {
    return this.#get(`/api/customers/imports/${encodeURIComponent(importId)}`);
  }

  /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["ImportView"][]>>} newest first */
  getImports(query = {}) {
    return this.#get("/api/customers/imports", query);
  }

  /**
   * Shows a file as an import would read it by the active schema. Nothing is stored. Of a large file, the first part is sent.
   * @param {Blob} file
   * @param {{name?: string, decimal?: "." | ",", signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["ImportPreview"]>>}
   */
  async previewImport(file, { name, signal, ...options } = {}) {
    const body = { ...(await firstPart(file, name, PREVIEWED_BYTES)), ...options };
    return this.request("/api/customers/imports/preview", { method: "POST", body, repeatable: true, signal });
  }

  // ----------------------------------------------------------------- sources

  /**
   * Upload a source file: events, subscriptions or profiles. Its rows are added to the source after the last byte; {@link getDelivery} shows the progress.
   * @param {Blob} file CSV, plain or gzip, or Parquet
   * @param {Schemas["DeliveryRequest"]["kind"]} kind
   * @param {{name?: string, asOf?: string, gzip?: boolean, onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["DeliveryView"]>>}
   */
  async deliverSource(file, kind, options = {}) {
    const name = options.name ?? /** @type {File} */ (file).name ?? `${kind}.csv`;
    const request = { kind, file_name: name, size: file.size, as_of: options.asOf, gzip: options.gzip };
    const started = await this.#start("/api/customers/sources/deliveries", request);
    await this.#upload(file, started.data.upload, options);
    if (started.data.upload.complete)
      return this.request(started.data.upload.complete, { method: "POST", repeatable: true });
    return this.getDelivery(started.data.delivery_id);
  }

  /** @param {string} deliveryId @returns {Promise<Answer<Schemas["DeliveryView"]>>} */
  getDelivery(deliveryId) {
    return this.#get(`/api/customers/sources/deliveries/${encodeURIComponent(deliveryId)}`);
  }

  /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["DeliveryView"][]>>} newest first */
  getDeliveries(query = {}) {
    return this.#get("/api/customers/sources/deliveries", query);
  }

  /** @returns {Promise<Answer<Schemas["SourceView"][]>>} each source with its rows, the days that it covers, and its last delivery */
  getSources() {
    return this.#get("/api/customers/sources");
  }

  /** @returns {Promise<Answer<Schemas["PreparationView"]>>} a run that computes features from the sources; {@link getPreparation} shows its progress */
  prepareFeatures() {
    return this.#start("/api/customers/preparations");
  }

  /** @param {string} runId @returns {Promise<Answer<Schemas["PreparationView"]>>} */
  getPreparation(runId) {
    return this.#get(`/api/customers/preparations/${encodeURIComponent(runId)}`);
  }

  /** @returns {Promise<Answer<Schemas["PreparationView"] | null>>} the run that was started last; null before the first */
  getLatestPreparation() {
    return this.#get("/api/customers/preparations/latest");
  }

  // ------------------------------------------------------------- predictions

  /**
   * The stored predictions, filtered.
   * @param {{level?: string, plan?: string, min_probability?: number, max_probability?: number, model_version?: string, limit?: number, cursor?: string}} [filters]
   * @returns {Promise<Answer<Schemas["PredictionView"][]>>}
   */
  getPredictionResults(filters = {}) {
    return this.#get("/api/predictions/results", filters);
  }

  /**
   * @param {{level?: string, plan?: string, min_probability?: number, max_probability?: number, model_version?: string}} [filters]
   * @returns {AsyncGenerator<Schemas["PredictionView"], void, void>}
   */
  everyPrediction(filters = {}) {
    return this.#every("/api/predictions/results", { limit: 100, ...filters });
  }

  /**
   * A link to the stored predictions as a CSV file; it expires after some minutes. The call waits until a large file is written.
   * `format` is "csv" for a spreadsheet (the default), or "data" for a program.
   * @param {{level?: string, plan?: string, min_probability?: number, max_probability?: number, model_version?: string, format?: "csv" | "data", separator?: "comma" | "semicolon" | "tab", decimal?: "point" | "comma"}} [filters]
   * @param {{onProgress?: (run: Schemas["ExportRunView"]) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["ExportView"]>>}
   */
  async exportPredictions(filters = {}, { onProgress, signal } = {}) {
    let answer = await this.request("/api/predictions/results", { query: { format: "csv", ...filters }, signal });
    for (let pause = 1000; answer.data?.run_id && !answer.data.url; pause = Math.min(1.5 * pause, 15_000)) {
      const { run_id: runId, status, reason } = answer.data;
      if (status !== "RUNNING") throw new RetainStreamError({ status: 0, title: "The export failed", detail: reason });
      onProgress?.(answer.data);
      await this.#requests.pause(pause, signal);
      signal?.throwIfAborted();
      answer = await this.getExport(runId, { signal });
    }
    return answer;
  }

  /**
   * A run that writes a large file; a finished run has a new link.
   * @param {string} runId
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["ExportRunView"]>>}
   */
  getExport(runId, options = {}) {
    return this.request(`/api/predictions/exports/${encodeURIComponent(runId)}`, options);
  }

  /**
   * Score customers now: `{customer_ids: […]}`, `{rows: […]}` of features, or `{all: true}`, which starts a run; {@link getScoringRun} shows its progress.
   * @param {Schemas["GenerateRequest"]} request
   * @returns {Promise<Answer<any>>}
   */
  generatePredictions(request) {
    return this.#start("/api/predictions/generate", request);
  }

  /** @param {string} runId @returns {Promise<Answer<Schemas["ScoringRunView"]>>} */
  getScoringRun(runId) {
    return this.#get(`/api/predictions/runs/${encodeURIComponent(runId)}`);
  }

  /**
   * The effect of other values on a score. Nothing is stored.
   * @param {Schemas["WhatIfRequest"]} request
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["WhatIfView"]>>}
   */
  whatIf(request, options = {}) {
    return this.request("/api/predictions/what-if", { method: "POST", body: request, repeatable: true, ...options });
  }

  /** @returns {Promise<Answer<Schemas["PerformanceView"]>>} held-out, realised and estimated figures */
  getModelPerformance() {
    return this.#get("/api/predictions/performance");
  }

  // ------------------------------------------------------------------- model

  /** @returns {Promise<Answer<Schemas["StatusView"]>>} */
  getModelStatus() {
    return this.#get("/api/model/status");
  }

  /** @returns {Promise<Answer<Schemas["FeatureSchema"]>>} the columns of a customer, the actions, and the currency */
  getSchema() {
    return this.#get("/api/model/schema");
  }

  /**
   * Drafts a feature schema from a file, or describes its columns where no `label` is named. Nothing is stored. Of a large file, the first
   * part is sent.
   * @param {Blob} file
   * @param {Partial<Omit<Schemas["DraftRequest"], "file_name" | "content" | "complete">> & {fileName?: string, signal?: AbortSignal}} [options]
   * @returns {Promise<Answer<Schemas["DraftOfSchema"]>>}
   */
  async draftSchema(file, { fileName, signal, ...options } = {}) {
    const body = { ...(await firstPart(file, fileName)), ...options };
    return this.request("/api/drafts", { method: "POST", body, repeatable: true, signal });
  }

  /**
   * Compares a schema with the active one and with the customers; nothing is changed.
   * @param {string} document YAML or JSON
   * @returns {Promise<Answer<Schemas["SchemaChange"]>>}
   */
  checkSchema(document) {
    return this.request("/api/model/schema/check", { method: "POST", body: { document }, repeatable: true });
  }

  /**
   * Activates a schema. `replaces` comes from {@link checkSchema}; `acceptRefused`: although customers do not fit.
   * @param {string} document YAML or JSON
   * @param {{replaces: string, acceptRefused?: boolean}} options
   * @returns {Promise<Answer<Schemas["SchemaChange"]>>}
   */
  changeSchema(document, { replaces, acceptRefused = false }) {
    const body = { document, replaces, accept_refused: acceptRefused };
    return this.request("/api/model/schema", { method: "PUT", body, repeatable: true });
  }

  /**
   * Adds values of a category to the active schema. The model in service goes on scoring.
   * @param {string} column its name, or its header in files
   * @param {string[]} levels
   * @returns {Promise<Answer<Schemas["LearnedLevels"]>>}
   */
  learnLevels(column, levels) {
    return this.request("/api/model/schema/levels", { method: "POST", body: { column, levels }, repeatable: true });
  }

  /** @returns {Promise<Answer<Schemas["EarlierSchema"][]>>} the schemas that were active before, the last one first */
  getEarlierSchemas() {
    return this.#get("/api/model/schema/earlier");
  }

  /** @param {string} id @returns {Promise<Answer<Schemas["FeatureSchema"]>>} */
  getEarlierSchema(id) {
    return this.#get(`/api/model/schema/earlier/${encodeURIComponent(id)}`);
  }

  /** @returns {Promise<Answer<Schemas["TrainingView"]>>} a run; {@link getTraining} shows its progress */
  trainModel() {
    return this.#start("/api/model/train");
  }

  /** @param {string} runId @returns {Promise<Answer<Schemas["TrainingView"]>>} */
  getTraining(runId) {
    return this.#get(`/api/model/training/${encodeURIComponent(runId)}`);
  }

  /** @returns {Promise<Answer<Schemas["Factor"][]>>} the feature importance of the model in service, from its training */
  getFeatureImportance() {
    return this.#get("/api/model/features");
  }

  /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["VersionView"][]>>} */
  getVersions(query = {}) {
    return this.#get("/api/model/versions", query);
  }

  /** @param {string} version @returns {Promise<Answer<Schemas["CardView"]>>} */
  getModelCard(version) {
    return this.#get(`/api/model/versions/${encodeURIComponent(version)}/card`);
  }

  /** @param {string} version @returns {Promise<Answer<Schemas["StatusView"]>>} */
  promote(version) {
    return this.request(`/api/model/versions/${encodeURIComponent(version)}/promote`, {
      method: "POST",
      repeatable: true,
    });
  }

  /** @returns {Promise<Answer<Schemas["StatusView"]>>} */
  rollback() {
    return this.#start("/api/model/rollback");
  }

  /** @returns {Promise<Answer<Schemas["DriftView"]>>} */
  getDrift() {
    return this.#get("/api/model/drift");
  }

  /** The status alone, for anybody. @returns {Promise<Answer<Schemas["ServiceStatus"]>>} */
  health() {
    return this.#get("/api/health");
  }

  /** @returns {Promise<Answer<Schemas["Health"]>>} */
  healthDetails() {
    return this.#get("/api/health/details");
  }

  // ---------------------------------------------------------------- requests

  /**
   * A request to any route. It is repeated after growing pauses, or after `Retry-After`, when a repetition cannot double an effect.
   * @param {string} path starting with /api
   * @param {import("./requests.js").Request} [request]
   * @returns {Promise<any>} `{data, page}`; `{data: null}` for an answer without a body
   * @throws {import("./requests.js").RetainStreamError}
   */
  request(path, request = {}) {
    return this.#requests.send(path, request);
  }

  /** @param {string} path @param {Record<string, unknown>} [query] */
  #get(path, query) {
    return this.request(path, { query });
  }

  /** @param {string} path @param {unknown} [body] */
  #post(path, body) {
    return this.request(path, { method: "POST", body });
  }

  /** Sends an idempotency key, so that a repeated request has its effect once. @param {string} path @param {unknown} [body] */
  #start(path, body) {
    const headers = { "Idempotency-Key": globalThis.crypto.randomUUID() };
    return this.request(path, { method: "POST", body, headers, repeatable: true });
  }

  /**
   * @param {Blob} file
   * @param {Schemas["UploadView"]} upload
   * @param {{onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} options
   */
  async #upload(file, upload, options) {
    let sent = 0;
    for (const part of upload.parts) {
      const piece = file.slice(part.offset, part.offset + part.size, "");
      await putPiece(part.url, piece, (bytes) => options.onProgress?.(sent + bytes, file.size), options.signal);
      sent += part.size;
    }
  }

  /** @param {Answer<Schemas["SignedIn"]>} answer */
  #keepToken(answer) {
    this.#requests.setToken(answer.data.token);
    return answer;
  }

  /** @param {string} path @param {Record<string, unknown>} query @returns {AsyncGenerator<any, void, void>} */
  async *#every(path, query) {
    let cursor;
    do {
      const { data, page } = await this.#get(path, { ...query, cursor });
      yield* data;
      cursor = page?.next;
    } while (cursor);
  }
}

export default RetainStreamAPI;
