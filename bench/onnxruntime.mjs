// node onnxruntime.mjs <folder of the package onnxruntime-node>: ONNX Runtime as a process that answers lines.
//   load <threads> <graph optimization> <file>   ->  the number of the session
//   run <session> <runs>                         ->  seconds that those runs took
//   drop <session>                               ->  0
//   compute <session> <inputs> <outputs>         ->  the number of samples: float32 files, the tensors of each in turn
//   optimize <model> <result>                    ->  0: the model as ONNX Runtime runs it
// or "error <what>". One line in, one line out.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { InferenceSession, Tensor } = createRequire(import.meta.url)(process.argv[2]);
const arrays = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array };
const sessions = [];

/// Seconds of this process, so that what others take is not counted; of the wall where more threads work.
const clocks = {
    processor() {
        const { user, system } = process.cpuUsage();
        return (user + system) * 1e-6;
    },
    wall: () => Number(process.hrtime.bigint()) * 1e-9,
};

/// Of one sample: a size that the model leaves open is 1.
const sizes = (shape) => shape.map((size) => (size > 0 ? size : 1));
const elements = (shape) => shape.reduce((a, b) => a * b, 1);

/// Inputs of small values and, so that no run allocates them, outputs.
function tensors(metadata, value) {
    const made = {};
    for (const { name, type, shape: dims } of metadata) {
        const shape = sizes(dims);
        const values = new arrays[type](elements(shape));
        made[name] = new Tensor(type, values.map((_, i) => value(i)), shape);
    }
    return made;
}

const commands = {
    async load(threads, graphOptimizationLevel, ...file) {
        const session = await InferenceSession.create(file.join(' '), {
            graphOptimizationLevel,
            intraOpNumThreads: Number(threads),
            interOpNumThreads: 1,
            executionMode: 'sequential',
            logSeverityLevel: 3,
        });
        const feeds = tensors(session.inputMetadata, (i) => i % 7);
        const fetches = tensors(session.outputMetadata, () => 0);
        return sessions.push({ session, feeds, fetches, seconds: clocks[threads === '1' ? 'processor' : 'wall'] }) - 1;
    },
    async run(index, runs) {
        const { session, feeds, fetches, seconds } = sessions[index];
        const start = seconds();
        for (let i = 0; i < Number(runs); ++i) await session.run(feeds, fetches);
        return seconds() - start;
    },
    async compute(index, inputs, outputs) {
        const { session } = sessions[index];
        const bytes = readFileSync(inputs);
        const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
        const results = [];
        let samples = 0;
        for (let at = 0; at < values.length; ++samples) {
            const feeds = {};
            for (const { name, shape } of session.inputMetadata) {
                const dims = sizes(shape);
                feeds[name] = new Tensor('float32', values.slice(at, (at += elements(dims))), dims);
            }
            const made = await session.run(feeds);
            for (const name of session.outputNames) results.push(new Uint8Array(made[name].data.slice().buffer));
        }
        writeFileSync(outputs, Buffer.concat(results));
        return samples;
    },
    async optimize(model, result) {
        const session = await InferenceSession.create(model, {
            graphOptimizationLevel: 'extended',
            optimizedModelFilePath: result,
            logSeverityLevel: 3,
        });
        await session.release();
        return 0;
    },
    async drop(index) {
        await sessions[index].session.release();
        sessions[index] = undefined;
        return 0;
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...words] = line.split(' ');
    try {
        console.log(await commands[name](...words));
    } catch (problem) {
        console.log(`error ${String(problem).replaceAll('\n', ' ')}`);
    }
}
