export class RetainStreamAPI {
    /**
     * @param {string} [baseUrl] the origin of the API, without `/api`; empty for the page's own origin
     * @param {import("./requests.js").Options} [options]
     */
    constructor(baseUrl?: string, options?: import("./requests.js").Options);
    /** @param {string | null} token from an earlier sign-in; null removes the token */
    setToken(token: string | null): void;
    /** Whether the client has a token. The API may still refuse it. */
    get signedIn(): boolean;
    /**
     * Sign in and keep the token.
     * @param {string} email
     * @param {string} password
     * @returns {Promise<Answer<Schemas["SignedIn"]>>}
     */
    login(email: string, password: string): Promise<Answer<Schemas["SignedIn"]>>;
    /**
     * Create an account where registration is open, and keep the token.
     * @param {string} email
     * @param {string} password
     * @param {string} [name]
     * @returns {Promise<Answer<Schemas["SignedIn"]>>}
     */
    register(email: string, password: string, name?: string): Promise<Answer<Schemas["SignedIn"]>>;
    /** Revoke the token and remove it. */
    logout(): Promise<any>;
    /** @returns {Promise<Answer<Schemas["Me"]>>} the account of the token */
    getMe(): Promise<Answer<Schemas["Me"]>>;
    /**
     * Change your own password and keep the new token.
     * @param {string} currentPassword
     * @param {string} newPassword
     * @returns {Promise<Answer<Schemas["SignedIn"]>>}
     */
    changePassword(currentPassword: string, newPassword: string): Promise<Answer<Schemas["SignedIn"]>>;
    /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["UserView"][]>>} */
    getUsers(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Answer<Schemas["UserView"][]>>;
    /** Create an account. @param {Omit<Schemas["NewUser"], "role"> & {role?: Schemas["Role"]}} user @returns {Promise<Answer<Schemas["UserView"]>>} */
    addUser(user: Omit<Schemas["NewUser"], "role"> & {
        role?: Schemas["Role"];
    }): Promise<Answer<Schemas["UserView"]>>;
    /** @param {Schemas["UserChange"]} change @returns {Promise<Answer<Schemas["UserView"]>>} */
    changeUser(change: Schemas["UserChange"]): Promise<Answer<Schemas["UserView"]>>;
    /** @returns {Promise<Answer<Schemas["MetricsView"]>>} */
    getDashboardMetrics(): Promise<Answer<Schemas["MetricsView"]>>;
    /** @param {string} [plan] @returns {Promise<Answer<Schemas["DistributionView"]>>} */
    getDistribution(plan?: string): Promise<Answer<Schemas["DistributionView"]>>;
    /** @returns {Promise<Answer<Schemas["FactorView"][]>>} the top factors of the current predictions, strongest first */
    getTopFeatures(): Promise<Answer<Schemas["FactorView"][]>>;
    /**
     * Score a sample of customers now.
     * @param {number} [sampleSize]
     * @returns {Promise<Answer<Schemas["SampleView"]>>}
     */
    runPredictions(sampleSize?: number): Promise<Answer<Schemas["SampleView"]>>;
    /**
     * @param {number} [page]
     * @param {number} [limit]
     * @param {{plan?: string, min_probability?: number, sort?: "probability" | "value", cursor?: string}} [filters] a cursor replaces `page`
     * @returns {Promise<Answer<Schemas["AtRiskView"][]>>}
     */
    getHighRiskCustomers(page?: number, limit?: number, filters?: {
        plan?: string;
        min_probability?: number;
        sort?: "probability" | "value";
        cursor?: string;
    }): Promise<Answer<Schemas["AtRiskView"][]>>;
    /**
     * All customers at risk, highest risk first, page by page.
     * @param {{plan?: string, min_probability?: number, sort?: "probability" | "value"}} [filters]
     * @returns {AsyncGenerator<Schemas["AtRiskView"], void, void>}
     */
    everyHighRiskCustomer(filters?: {
        plan?: string;
        min_probability?: number;
        sort?: "probability" | "value";
    }): AsyncGenerator<Schemas["AtRiskView"], void, void>;
    /** @param {string} customerId @returns {Promise<Answer<Schemas["CustomerView"]>>} */
    getCustomer(customerId: string): Promise<Answer<Schemas["CustomerView"]>>;
    /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["CustomerSummary"][]>>} */
    getCustomers(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Answer<Schemas["CustomerSummary"][]>>;
    /** @returns {AsyncGenerator<Schemas["CustomerSummary"], void, void>} */
    everyCustomer(): AsyncGenerator<Schemas["CustomerSummary"], void, void>;
    /**
     * @param {string} customerId
     * @param {Record<string, unknown>} features values by column of the feature schema
     * @returns {Promise<Answer<Schemas["CustomerView"]>>}
     */
    putCustomer(customerId: string, features: Record<string, unknown>): Promise<Answer<Schemas["CustomerView"]>>;
    /**
     * Deletes the synthetic customers that a stack was tried with. Call it again while the answer says `more`.
     * @returns {Promise<Answer<Schemas["SamplesRemoved"]>>}
     */
    deleteSampleCustomers(): Promise<Answer<Schemas["SamplesRemoved"]>>;
    /** @param {string} customerId */
    deleteCustomer(customerId: string): Promise<any>;
    /**
     * Record whether a customer left.
     * @param {string} customerId
     * @param {boolean} churned
     * @param {string} [date] the day of leaving, or a day on which the customer was still one, as YYYY-MM-DD; default: known as of today
     * @param {string} [leftAfter] the last day as a customer, where the day of leaving is not known; `date` is then the last possible day
     * @returns {Promise<Answer<Schemas["CustomerView"]>>}
     */
    recordOutcome(customerId: string, churned: boolean, date?: string, leftAfter?: string): Promise<Answer<Schemas["CustomerView"]>>;
    /**
     * A segment of the customers by criteria: its size, value and customers.
     * @param {Partial<Schemas["SegmentRequest"]>} [segment]
     * @returns {Promise<Answer<Schemas["SegmentView"]>>}
     */
    segmentCustomers(segment?: Partial<Schemas["SegmentRequest"]>): Promise<Answer<Schemas["SegmentView"]>>;
    /**
     * Upload a CSV file of customers. The import starts after the last byte; {@link getImport} shows its progress.
     * @param {Blob} file
     * `featuresAsOf` and `outcomesAsOf` are the days that the features describe and on which the outcomes were known; `asOf` is the day of both.
     * `decimal`, `encoding` and `sheet` say how to read the file, and `ids` answers the question of an earlier import.
     * @param {{name?: string, asOf?: string, featuresAsOf?: string, outcomesAsOf?: string, gzip?: boolean, decimal?: string, encoding?: string, sheet?: string, ids?: "as-known" | "as-written", onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["ImportView"]>>}
     */
    importCustomers(file: Blob, options?: {
        name?: string;
        asOf?: string;
        featuresAsOf?: string;
        outcomesAsOf?: string;
        gzip?: boolean;
        decimal?: string;
        encoding?: string;
        sheet?: string;
        ids?: "as-known" | "as-written";
        onProgress?: (sent: number, total: number) => void;
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["ImportView"]>>;
    /** @param {string} importId @returns {Promise<Answer<Schemas["ImportView"]>>} */
    getImport(importId: string): Promise<Answer<Schemas["ImportView"]>>;
    /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["ImportView"][]>>} newest first */
    getImports(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Answer<Schemas["ImportView"][]>>;
    /**
     * Shows a file as an import would read it by the active schema. Nothing is stored. Of a large file, the first part is sent.
     * @param {Blob} file
     * @param {{name?: string, decimal?: "." | ",", signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["ImportPreview"]>>}
     */
    previewImport(file: Blob, { name, signal, ...options }?: {
        name?: string;
        decimal?: "." | ",";
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["ImportPreview"]>>;
    /**
     * Upload a source file: events, subscriptions or profiles. Its rows are added to the source after the last byte; {@link getDelivery} shows the progress.
     * @param {Blob} file CSV, plain or gzip, or Parquet
     * @param {Schemas["DeliveryRequest"]["kind"]} kind
     * @param {{name?: string, asOf?: string, gzip?: boolean, onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["DeliveryView"]>>}
     */
    deliverSource(file: Blob, kind: Schemas["DeliveryRequest"]["kind"], options?: {
        name?: string;
        asOf?: string;
        gzip?: boolean;
        onProgress?: (sent: number, total: number) => void;
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["DeliveryView"]>>;
    /** @param {string} deliveryId @returns {Promise<Answer<Schemas["DeliveryView"]>>} */
    getDelivery(deliveryId: string): Promise<Answer<Schemas["DeliveryView"]>>;
    /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["DeliveryView"][]>>} newest first */
    getDeliveries(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Answer<Schemas["DeliveryView"][]>>;
    /** @returns {Promise<Answer<Schemas["SourceView"][]>>} each source with its rows, the days that it covers, and its last delivery */
    getSources(): Promise<Answer<Schemas["SourceView"][]>>;
    /** @returns {Promise<Answer<Schemas["PreparationView"]>>} a run that computes features from the sources; {@link getPreparation} shows its progress */
    prepareFeatures(): Promise<Answer<Schemas["PreparationView"]>>;
    /** @param {string} runId @returns {Promise<Answer<Schemas["PreparationView"]>>} */
    getPreparation(runId: string): Promise<Answer<Schemas["PreparationView"]>>;
    /** @returns {Promise<Answer<Schemas["PreparationView"] | null>>} the run that was started last; null before the first */
    getLatestPreparation(): Promise<Answer<Schemas["PreparationView"] | null>>;
    /**
     * The stored predictions, filtered.
     * @param {{level?: string, plan?: string, min_probability?: number, max_probability?: number, model_version?: string, limit?: number, cursor?: string}} [filters]
     * @returns {Promise<Answer<Schemas["PredictionView"][]>>}
     */
    getPredictionResults(filters?: {
        level?: string;
        plan?: string;
        min_probability?: number;
        max_probability?: number;
        model_version?: string;
        limit?: number;
        cursor?: string;
    }): Promise<Answer<Schemas["PredictionView"][]>>;
    /**
     * @param {{level?: string, plan?: string, min_probability?: number, max_probability?: number, model_version?: string}} [filters]
     * @returns {AsyncGenerator<Schemas["PredictionView"], void, void>}
     */
    everyPrediction(filters?: {
        level?: string;
        plan?: string;
        min_probability?: number;
        max_probability?: number;
        model_version?: string;
    }): AsyncGenerator<Schemas["PredictionView"], void, void>;
    /**
     * A link to the stored predictions as a CSV file; it expires after some minutes. The call waits until a large file is written.
     * `format` is "csv" for a spreadsheet (the default), or "data" for a program.
     * @param {{level?: string, plan?: string, min_probability?: number, max_probability?: number, model_version?: string, format?: "csv" | "data", separator?: "comma" | "semicolon" | "tab", decimal?: "point" | "comma"}} [filters]
     * @param {{onProgress?: (run: Schemas["ExportRunView"]) => void, signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["ExportView"]>>}
     */
    exportPredictions(filters?: {
        level?: string;
        plan?: string;
        min_probability?: number;
        max_probability?: number;
        model_version?: string;
        format?: "csv" | "data";
        separator?: "comma" | "semicolon" | "tab";
        decimal?: "point" | "comma";
    }, { onProgress, signal }?: {
        onProgress?: (run: Schemas["ExportRunView"]) => void;
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["ExportView"]>>;
    /**
     * A run that writes a large file; a finished run has a new link.
     * @param {string} runId
     * @param {{signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["ExportRunView"]>>}
     */
    getExport(runId: string, options?: {
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["ExportRunView"]>>;
    /**
     * Score customers now: `{customer_ids: […]}`, `{rows: […]}` of features, or `{all: true}`, which starts a run; {@link getScoringRun} shows its progress.
     * @param {Schemas["GenerateRequest"]} request
     * @returns {Promise<Answer<any>>}
     */
    generatePredictions(request: Schemas["GenerateRequest"]): Promise<Answer<any>>;
    /** @param {string} runId @returns {Promise<Answer<Schemas["ScoringRunView"]>>} */
    getScoringRun(runId: string): Promise<Answer<Schemas["ScoringRunView"]>>;
    /**
     * The effect of other values on a score. Nothing is stored.
     * @param {Schemas["WhatIfRequest"]} request
     * @param {{signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["WhatIfView"]>>}
     */
    whatIf(request: Schemas["WhatIfRequest"], options?: {
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["WhatIfView"]>>;
    /** @returns {Promise<Answer<Schemas["PerformanceView"]>>} held-out, realised and estimated figures */
    getModelPerformance(): Promise<Answer<Schemas["PerformanceView"]>>;
    /** @returns {Promise<Answer<Schemas["StatusView"]>>} */
    getModelStatus(): Promise<Answer<Schemas["StatusView"]>>;
    /** @returns {Promise<Answer<Schemas["FeatureSchema"]>>} the columns of a customer, the actions, and the currency */
    getSchema(): Promise<Answer<Schemas["FeatureSchema"]>>;
    /**
     * Drafts a feature schema from a file, or describes its columns where no `label` is named. Nothing is stored. Of a large file, the first
     * part is sent.
     * @param {Blob} file
     * @param {Partial<Omit<Schemas["DraftRequest"], "file_name" | "content" | "complete">> & {fileName?: string, signal?: AbortSignal}} [options]
     * @returns {Promise<Answer<Schemas["DraftOfSchema"]>>}
     */
    draftSchema(file: Blob, { fileName, signal, ...options }?: Partial<Omit<Schemas["DraftRequest"], "file_name" | "content" | "complete">> & {
        fileName?: string;
        signal?: AbortSignal;
    }): Promise<Answer<Schemas["DraftOfSchema"]>>;
    /**
     * Compares a schema with the active one and with the customers; nothing is changed.
     * @param {string} document YAML or JSON
     * @returns {Promise<Answer<Schemas["SchemaChange"]>>}
     */
    checkSchema(document: string): Promise<Answer<Schemas["SchemaChange"]>>;
    /**
     * Activates a schema. `replaces` comes from {@link checkSchema}; `acceptRefused`: although customers do not fit.
     * @param {string} document YAML or JSON
     * @param {{replaces: string, acceptRefused?: boolean}} options
     * @returns {Promise<Answer<Schemas["SchemaChange"]>>}
     */
    changeSchema(document: string, { replaces, acceptRefused }: {
        replaces: string;
        acceptRefused?: boolean;
    }): Promise<Answer<Schemas["SchemaChange"]>>;
    /**
     * Adds values of a category to the active schema. The model in service goes on scoring.
     * @param {string} column its name, or its header in files
     * @param {string[]} levels
     * @returns {Promise<Answer<Schemas["LearnedLevels"]>>}
     */
    learnLevels(column: string, levels: string[]): Promise<Answer<Schemas["LearnedLevels"]>>;
    /** @returns {Promise<Answer<Schemas["EarlierSchema"][]>>} the schemas that were active before, the last one first */
    getEarlierSchemas(): Promise<Answer<Schemas["EarlierSchema"][]>>;
    /** @param {string} id @returns {Promise<Answer<Schemas["FeatureSchema"]>>} */
    getEarlierSchema(id: string): Promise<Answer<Schemas["FeatureSchema"]>>;
    /** @returns {Promise<Answer<Schemas["TrainingView"]>>} a run; {@link getTraining} shows its progress */
    trainModel(): Promise<Answer<Schemas["TrainingView"]>>;
    /** @param {string} runId @returns {Promise<Answer<Schemas["TrainingView"]>>} */
    getTraining(runId: string): Promise<Answer<Schemas["TrainingView"]>>;
    /** @returns {Promise<Answer<Schemas["Factor"][]>>} the feature importance of the model in service, from its training */
    getFeatureImportance(): Promise<Answer<Schemas["Factor"][]>>;
    /** @param {{limit?: number, cursor?: string}} [query] @returns {Promise<Answer<Schemas["VersionView"][]>>} */
    getVersions(query?: {
        limit?: number;
        cursor?: string;
    }): Promise<Answer<Schemas["VersionView"][]>>;
    /** @param {string} version @returns {Promise<Answer<Schemas["CardView"]>>} */
    getModelCard(version: string): Promise<Answer<Schemas["CardView"]>>;
    /** @param {string} version @returns {Promise<Answer<Schemas["StatusView"]>>} */
    promote(version: string): Promise<Answer<Schemas["StatusView"]>>;
    /** @returns {Promise<Answer<Schemas["StatusView"]>>} */
    rollback(): Promise<Answer<Schemas["StatusView"]>>;
    /** @returns {Promise<Answer<Schemas["DriftView"]>>} */
    getDrift(): Promise<Answer<Schemas["DriftView"]>>;
    /** The status alone, for anybody. @returns {Promise<Answer<Schemas["ServiceStatus"]>>} */
    health(): Promise<Answer<Schemas["ServiceStatus"]>>;
    /** @returns {Promise<Answer<Schemas["Health"]>>} */
    healthDetails(): Promise<Answer<Schemas["Health"]>>;
    /**
     * A request to any route. It is repeated after growing pauses, or after `Retry-After`, when a repetition cannot double an effect.
     * @param {string} path starting with /api
     * @param {import("./requests.js").Request} [request]
     * @returns {Promise<any>} `{data, page}`; `{data: null}` for an answer without a body
     * @throws {import("./requests.js").RetainStreamError}
     */
    request(path: string, request?: import("./requests.js").Request): Promise<any>;
    #private;
}
export default RetainStreamAPI;
export type Schemas = import("./types/api-types.js").components["schemas"];
export type Page = {
    limit: number;
    next?: string | null;
    number?: number | null;
    total?: number | null;
};
export type Answer<T> = {
    data: T;
    page?: Page;
};
export { addressOf, idOf } from "./customer-ids.js";
export { Conflict, Forbidden, InvalidRequest, NotFound, NotSignedIn, RateLimited, RetainStreamError, Unavailable } from "./requests.js";
