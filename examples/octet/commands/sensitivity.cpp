// octet sensitivity: what each layer of a float network costs in int8.
#include "commands.hpp"
#include "files.hpp"
#include "labels.hpp"
#include "network.hpp"

void sensitivity(const options& asked, output& says) {
    const octet::graph model = load_model(asked.model);
    const sample_set data = load_samples(asked, model);
    std::vector<int> labels;
    if (!asked.labels.empty() || !data.folders.empty())
        labels = load_labels(asked.labels, data, static_cast<int>(model.at(model.outputs()[0]).dims.elements()),
                             asked.class_offset);
    const octet::sensitivity_ranking ranking = rank_with_progress(asked, model, data.values, std::move(labels));
    say_model(says, asked.model, model);
    says.fact("samples", octet::text(data.values.count, " of ", name_of(asked.samples), ", ", asked.observer));
    say_ranking(says, ranking);
}
