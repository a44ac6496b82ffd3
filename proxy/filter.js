// The JSON-RPC filter: parse, check against the schema, and forward a body written anew.
//
// The client's own bytes never reach a node. Go's JSON decoder matches keys without regard to case and takes
// the last one, so whoever forwards them forwards calls that a filter has not seen.
// Nginx clones this module for every request: keep the top level small.
//
// Patterns end in (?![\s\S]) because $ also matches before a last newline in nginx's regular expressions.

const ADDRESS = /^0x[0-9a-fA-F]{40}(?![\s\S])/;
const PRECOMPILE = /^0x0{36}/;
const HASH = /^0x[0-9a-fA-F]{64}(?![\s\S])/;
const DATA = /^0x(?:[0-9a-fA-F]{2})*(?![\s\S])/;
const QUANTITY = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})(?![\s\S])/;
const NUMBER = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,15})(?![\s\S])/;
const SLOT = /^0x[0-9a-fA-F]{1,64}(?![\s\S])/;
const PLAIN_ID = /^[ !#-\[\]-~]{0,64}(?![\s\S])/;
const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?(?![\s\S])/i;
const EXTENSION = /^(?:chrome|moz|safari-web)-extension:\/\/[0-9a-zA-Z-]+(?![\s\S])/;
const WALLET_QUANTITIES = ' value gas gasPrice maxFeePerGas maxPriorityFeePerGas type nonce chainId ';
const MAX_BATCH = 32;
const MAX_PERCENTILES = 16;

function refuse(status, code, reason, message) {
    throw {status: status, code: code, reason: reason, message: message};
}

function badParams(message) {
    refuse(400, -32602, 'params', message);
}

function text(value, pattern, what) {
    if (typeof value !== 'string' || !pattern.test(value)) {
        badParams('not ' + what);
    }
    return '"' + value + '"';
}

function arity(params, least, most) {
    if (params.length < least || params.length > most) {
        badParams('wrong number of parameters');
    }
}

function block(tag, wallet) {
    if (tag === 'latest' || tag === undefined) {
        return '"latest"';
    }
    if (wallet && tag === 'pending') {
        return '"pending"';
    }
    return text(tag, NUMBER, wallet ? 'latest, pending or a block number' : 'latest or a block number');
}

function target(to) {
    const quoted = text(to, ADDRESS, 'an address');
    if (PRECOMPILE.test(to)) {
        refuse(403, -32602, 'precompile', 'calls to precompiled contracts are not allowed');
    }
    return quoted;
}

function callData(value, wallet) {
    const quoted = text(value, DATA, 'call data');
    if (!wallet && policy.selectors[value.slice(2, 10).toLowerCase()] !== true) {
        refuse(403, -32602, 'selector', 'this function is not one of the project\'s');
    }
    return quoted;
}

function callMember(key, value, wallet) {
    switch (key) {
    case 'to': return target(value);
    case 'data':
    case 'input': return callData(value, wallet);
    case 'from': return text(value, ADDRESS, 'an address');
    }
    if (!wallet || WALLET_QUANTITIES.indexOf(' ' + key + ' ') < 0) {
        badParams('a call may not carry this member');
    }
    return text(value, QUANTITY, 'a quantity');
}

function callObject(call, wallet) {
    if (call === null || typeof call !== 'object' || Array.isArray(call)) {
        badParams('a call must be an object');
    }
    if (call.data !== undefined && call.input !== undefined && call.data !== call.input) {
        badParams('data and input differ');
    }
    if (call.to === undefined || (!wallet && call.data === undefined && call.input === undefined)) {
        badParams('a call needs to and data');
    }
    let out = '';
    for (let key in call) {
        out += (out ? ',"' : '{"') + key + '":' + callMember(key, call[key], wallet);
    }
    return out + '}';
}

function slots(keys) {
    if (!Array.isArray(keys) || keys.length > 2) {
        badParams('at most two slots');
    }
    return '[' + keys.map((key) => text(key, SLOT, 'a slot')).join(',') + ']';
}

function feeHistory(params, wallet) {
    arity(params, 2, 3);
    let count = params[0];
    if (typeof count === 'string') {
        count = NUMBER.test(count) ? parseInt(count, 16) : 0;
    }
    if (!Number.isSafeInteger(count) || count < 1 || count > 1024) {
        badParams('not a number of blocks');
    }
    const percentiles = params[2] === undefined ? [] : params[2];
    if (!Array.isArray(percentiles) || percentiles.length > MAX_PERCENTILES) {
        badParams('not a list of percentiles');
    }
    percentiles.forEach((p) => {
        if (typeof p !== 'number' || !(p >= 0 && p <= 100)) {
            badParams('not a percentile');
        }
    });
    return '"0x' + count.toString(16) + '",' + block(params[1], wallet) + ',['
        + percentiles.map((p) => p.toFixed(3)).join(',') + ']';
}

function headerParams(params, wallet) {
    arity(params, 1, 2);
    if (params.length === 2 && params[1] !== false) {
        badParams('only headers: the second parameter must be false');
    }
    if (params[0] === undefined) {
        badParams('which block?');
    }
    return block(params[0], wallet) + ',false';
}

function common(method, params, wallet) {
    switch (method) {
    case 'eth_call':
        arity(params, 1, 2);
        return callObject(params[0], wallet) + ',' + block(params[1], wallet);
    case 'eth_chainId':
    case 'eth_blockNumber':
    case 'eth_gasPrice':
        arity(params, 0, 0);
        return '';
    case 'eth_getBlockByNumber':
        return headerParams(params, wallet);
    case 'eth_getBalance':
    case 'eth_getTransactionCount':
    case 'eth_getCode':
        arity(params, 1, 2);
        return text(params[0], ADDRESS, 'an address') + ',' + block(params[1], wallet);
    case 'eth_getTransactionByHash':
    case 'eth_getTransactionReceipt':
        arity(params, 1, 1);
        return text(params[0], HASH, 'a hash');
    case 'eth_sendRawTransaction':
        arity(params, 1, 1);
        return text(params[0], DATA, 'a signed transaction');
    case 'eth_feeHistory':
        return feeHistory(params, wallet);
    }
    return undefined;
}

function walletOnly(method, params) {
    switch (method) {
    case 'net_version':
    case 'eth_maxPriorityFeePerGas':
        arity(params, 0, 0);
        return '';
    case 'eth_estimateGas':
        arity(params, 1, 2);
        return callObject(params[0], true) + (params.length === 2 ? ',' + block(params[1], true) : '');
    }
    return undefined;
}

function deviceOnly(method, params) {
    if (method !== 'eth_getProof') {
        return undefined;
    }
    arity(params, 3, 3);
    return text(params[0], ADDRESS, 'an address') + ',' + slots(params[1]) + ','
        + text(params[2], NUMBER, 'a block number');
}

function checkedParams(method, params, wallet) {
    let out = common(method, params, wallet);
    if (out === undefined) {
        out = wallet ? walletOnly(method, params) : deviceOnly(method, params);
    }
    if (out === undefined) {
        refuse(403, -32601, 'method', 'this method is not allowed here');
    }
    return out;
}

function checkedId(id) {
    if (id === null || (typeof id === 'number' && Number.isSafeInteger(id))) {
        return String(id === 0 ? 0 : id);
    }
    if (typeof id === 'string' && PLAIN_ID.test(id)) {
        return '"' + id + '"';
    }
    refuse(400, -32600, 'id', 'an id must be null, a safe integer or up to 64 plain characters');
}

function checkedMembers(call) {
    if (call === null || typeof call !== 'object' || Array.isArray(call)) {
        refuse(400, -32600, 'request', 'a request must be an object');
    }
    for (let key in call) {
        if (key !== 'method' && key !== 'params' && key !== 'id' && key !== 'jsonrpc') {
            refuse(400, -32600, 'member', 'a request has only jsonrpc, id, method and params');
        }
    }
    if (call.jsonrpc !== '2.0' || typeof call.method !== 'string') {
        refuse(400, -32600, 'request', 'a request needs jsonrpc "2.0" and a method');
    }
}

function checkedCall(call, wallet, seen) {
    checkedMembers(call);
    const id = checkedId(call.id);
    seen.id = id;
    const params = call.params === undefined ? [] : call.params;
    if (!Array.isArray(params)) {
        badParams('parameters must be a list');
    }
    const checked = checkedParams(call.method, params, wallet);
    return '{"jsonrpc":"2.0","id":' + id + ',"method":"' + call.method + '","params":[' + checked + ']}';
}

function checkedBatch(calls, wallet) {
    if (calls.length < 1 || calls.length > MAX_BATCH) {
        refuse(400, -32600, 'batch', 'a batch has 1 to ' + MAX_BATCH + ' calls');
    }
    const parts = calls.map((call) => {
        if (call !== null && typeof call === 'object' && call.method === 'eth_sendRawTransaction') {
            refuse(403, -32600, 'batch_write', 'a transaction may not be part of a batch');
        }
        return checkedCall(call, wallet, {});
    });
    return '[' + parts.join(',') + ']';
}

function parsed(r) {
    if (!JSON_TYPE.test(r.headersIn['Content-Type'] || '')) {
        refuse(415, -32600, 'content_type', 'send application/json');
    }
    if (r.headersIn['Content-Encoding']) {
        refuse(415, -32600, 'content_encoding', 'send the body unencoded');
    }
    try {
        return JSON.parse(r.requestText);
    } catch (e) {
        refuse(400, -32700, 'json', 'the body is not JSON');
    }
}

function answer(r, refusal, id) {
    const error = {code: refusal.code, message: refusal.message, data: {reason: refusal.reason}};
    r.variables.rpc_verdict = refusal.reason;
    r.headersOut['Content-Type'] = 'application/json';
    r.return(refusal.status, '{"jsonrpc":"2.0","id":' + id + ',"error":' + JSON.stringify(error) + '}\n');
}

function read(r, method, body) {
    r.variables.rpc_body = body;
    r.variables.rpc_method = method;
    r.internalRedirect('/.read');
}

function forward(r, wallet, seen) {
    if (r.method !== 'POST') {
        r.headersOut.Allow = 'POST';
        refuse(405, -32600, 'http_method', 'send POST');
    }
    const call = parsed(r);
    if (Array.isArray(call)) {
        read(r, 'batch:' + call.length, checkedBatch(call, wallet));
        return;
    }
    const body = checkedCall(call, wallet, seen);
    if (call.method !== 'eth_sendRawTransaction') {
        read(r, call.method, body);
        return;
    }
    r.variables.rpc_body = body;
    r.variables.rpc_method = call.method;
    r.internalRedirect('/.write');
}

function handle(r, wallet, admit) {
    const seen = {id: 'null'};
    try {
        if (admit(r)) {
            forward(r, wallet, seen);
        }
    } catch (refusal) {
        if (refusal.reason === undefined) {
            r.error('filter: ' + refusal);
            answer(r, {status: 500, code: -32603, reason: 'internal', message: 'the gateway failed'}, 'null');
            return;
        }
        answer(r, refusal, seen.id);
    }
}

function admitDevice(r) {
    if (r.variables.device) {
        return true;
    }
    if (r.variables.ssl_client_verify === 'SUCCESS') {
        if (policy.closed) {
            refuse(403, -32001, 'revocation_list', policy.closed);
        }
        refuse(403, -32001, 'not_admitted', 'this certificate is not admitted here');
    }
    r.headersOut['WWW-Authenticate'] = 'Basic realm="lading", charset="UTF-8"';
    refuse(401, -32001, 'credentials', 'present a client certificate or basic credentials');
}

function admitWallet(r) {
    const origin = r.headersIn.Origin;
    if (origin !== undefined && !r.variables.cors_origin && !EXTENSION.test(origin)) {
        refuse(403, -32001, 'origin', 'this page may not call the chain');
    }
    if (r.method !== 'OPTIONS' || origin === undefined) {
        return true;
    }
    r.variables.rpc_verdict = 'preflight';
    r.headersOut['Access-Control-Allow-Methods'] = 'POST';
    r.headersOut['Access-Control-Allow-Headers'] = 'Content-Type';
    r.headersOut['Access-Control-Max-Age'] = '600';
    r.return(204);
    return false;
}

function devices(r) {
    handle(r, false, admitDevice);
}

function wallets(r) {
    handle(r, true, admitWallet);
}

// The secrets are 256 random bits, so half a plain SHA-256 keeps them; a slow hash would be a CPU sink.
function credentialDigest(r) {
    const given = r.headersIn.Authorization || '';
    return require('crypto').createHash('sha256').update(given).digest('hex').slice(0, 32);
}

export default {devices, wallets, credentialDigest};
