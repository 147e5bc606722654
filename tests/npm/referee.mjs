// Runs ONNX files in ONNX Runtime on the same seeded inputs and compares each with the first.
// Reads one JSON job a line on stdin, answers one JSON line each on stdout:
//   job    {models, seed, shapes: {input: [..]}, ranges: {input: [low, high]}, dim, scale, optimise, threads, repeat}
//   answer {runs: [{ok, error?, ms?, outputs: [{name, type, shape, max_abs, max_diff, rel, finite}]}]}
// An input's data depends on the seed and on its name, not on its place. Usage: node referee.mjs NODE_MODULES
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import path from 'node:path';

const ort = createRequire(path.resolve(process.argv[2]) + '/')('onnxruntime-node');

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, int64: BigInt64Array, uint64: BigUint64Array,
  int32: Int32Array, uint32: Uint32Array, int16: Int16Array, uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array,
  bool: Uint8Array,
};

function generator(seed, name) {
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (const c of name) state = Math.imul(state ^ c.codePointAt(0), 16777619) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const word = new DataView(new ArrayBuffer(4));
function toHalf(value) {  // truncates the mantissa: inputs only have to be the same for every model
  word.setFloat32(0, value);
  const bits = word.getUint32(0), exponent = ((bits >>> 23) & 255) - 112;
  if (exponent <= 0) return (bits >>> 16) & 0x8000;
  return ((bits >>> 16) & 0x8000) | (Math.min(exponent, 30) << 10) | ((bits >>> 13) & 1023);
}
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >>> 10) & 31, mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

function feed(meta, job) {
  const type = meta.type ?? 'float32';
  if (!(type in arrays)) throw new Error(`input ${meta.name}: no data of type ${type} can be made`);
  const dim = job.dim ?? 1;
  const shape = job.shapes?.[meta.name]
    ?? meta.shape.map((d, i) => (typeof d === 'number' && d > 0 ? d : i === 0 ? 1 : i === 1 && meta.shape.length === 4 ? 3 : dim));
  const count = shape.reduce((a, b) => a * b, 1), random = generator(job.seed ?? 1, meta.name);
  const data = new arrays[type](count);
  const range = job.ranges?.[meta.name];
  const scale = job.scale ?? Math.sqrt(3);  // uniform on [-sqrt 3, sqrt 3]: unit variance
  const [low, high] = range ?? (type.startsWith('float') ? [-scale, scale] : type === 'bool' ? [0, 2] : [1, 2]);
  for (let i = 0; i < count; i++) {
    const real = low + (high - low) * random();
    if (type === 'float16') data[i] = toHalf(real);
    else if (type === 'int64' || type === 'uint64') data[i] = BigInt(Math.floor(real));
    else data[i] = type.startsWith('float') ? real : Math.floor(real);
  }
  return new ort.Tensor(type, type === 'float16' && ort.Tensor && globalThis.Float16Array ? new Float16Array(data.buffer) : data, shape);
}

function numbers(tensor) {
  if (tensor.type !== 'float16' || !(tensor.data instanceof Uint16Array)) return tensor.data;
  return Float64Array.from(tensor.data, fromHalf);
}

function compareOutput(name, tensor, first) {
  const result = { name, type: tensor.type, shape: [...tensor.dims], max_abs: 0, max_diff: 0, rel: 0, finite: true };
  const b = numbers(tensor), a = first === undefined ? b : first;
  if (a.length !== b.length) return { ...result, finite: false, error: `expected ${a.length} elements, found ${b.length}` };
  for (let i = 0; i < b.length; i++) {
    if (tensor.type === 'string') {
      if (a[i] !== b[i]) result.max_diff = 1;
      continue;
    }
    const x = Number(a[i]), y = Number(b[i]), diff = Math.abs(x - y);
    if (!Number.isFinite(x) || !Number.isFinite(y)) { result.finite = false; continue; }
    if (Math.abs(x) > result.max_abs) result.max_abs = Math.abs(x);
    if (diff > result.max_diff) result.max_diff = diff;
  }
  result.rel = result.max_diff / (result.max_abs + 1e-12);
  return result;
}

async function runModel(file, job, first) {
  const session = await ort.InferenceSession.create(file, {
    graphOptimizationLevel: job.optimise === false ? 'disabled' : 'all',
    intraOpNumThreads: job.threads ?? 1, interOpNumThreads: 1, logSeverityLevel: 4,
  });
  try {
    const feeds = {};
    for (const meta of session.inputMetadata) feeds[meta.name] = feed(meta, job);
    const out = await session.run(feeds);
    const outputs = session.outputNames.map((name) => compareOutput(name, out[name], first?.[name]));
    const run = { ok: true, outputs };
    if (job.repeat) {
      const times = [];
      for (let i = 0; i < job.repeat; i++) {
        const start = performance.now();
        await session.run(feeds);
        times.push(performance.now() - start);
      }
      run.ms = times.sort((x, y) => x - y)[times.length >> 1];
    }
    const kept = Object.fromEntries(session.outputNames.map((name) => [name, numbers(out[name])]));
    return { run, kept };
  } finally {
    await session.release();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const answer = { runs: [] };
  try {
    const job = JSON.parse(line);
    let first;
    for (const file of job.models) {
      try {
        const { run, kept } = await runModel(file, job, first);
        answer.runs.push(run);
        first ??= kept;
      } catch (error) {
        answer.runs.push({ ok: false, error: String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 600) });
      }
    }
  } catch (error) {
    answer.error = String(error?.message ?? error);
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
