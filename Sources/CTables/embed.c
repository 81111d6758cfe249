// Every table, in the order in which `gpunoisy repro --list` names them.
#include "CTables.h"

static const gpunoisy_table tables[] = {
    {"memorise", (const char[]){
#embed "memorise.toml"
    , 0}, (const char[]){
#embed "memorise.csv"
    , 0}},
    {"aum-cifar10", (const char[]){
#embed "aum-cifar10.toml"
    , 0}, (const char[]){
#embed "aum-cifar10.csv"
    , 0}},
    {"aum-cifar100", (const char[]){
#embed "aum-cifar100.toml"
    , 0}, (const char[]){
#embed "aum-cifar100.csv"
    , 0}},
    {"detection", (const char[]){
#embed "detection.toml"
    , 0}, (const char[]){
#embed "detection.csv"
    , 0}},
    {"sce-mnist", (const char[]){
#embed "sce-mnist.toml"
    , 0}, (const char[]){
#embed "sce-mnist.csv"
    , 0}},
    {"sce-cifar10", (const char[]){
#embed "sce-cifar10.toml"
    , 0}, (const char[]){
#embed "sce-cifar10.csv"
    , 0}},
    {"sce-cifar100", (const char[]){
#embed "sce-cifar100.toml"
    , 0}, (const char[]){
#embed "sce-cifar100.csv"
    , 0}},
    {"sce-ablation", (const char[]){
#embed "sce-ablation.toml"
    , 0}, (const char[]){
#embed "sce-ablation.csv"
    , 0}},
    {"sce-sweep", (const char[]){
#embed "sce-sweep.toml"
    , 0}, (const char[]){
#embed "sce-sweep.csv"
    , 0}},
    {"sce-classes", (const char[]){
#embed "sce-classes.toml"
    , 0}, (const char[]){
#embed "sce-classes.csv"
    , 0}},
    {"losses-cifar10", (const char[]){
#embed "losses-cifar10.toml"
    , 0}, (const char[]){
#embed "losses-cifar10.csv"
    , 0}},
    {"losses-cifar100", (const char[]){
#embed "losses-cifar100.toml"
    , 0}, (const char[]){
#embed "losses-cifar100.csv"
    , 0}},
    {"gce-cifar10", (const char[]){
#embed "gce-cifar10.toml"
    , 0}, (const char[]){
#embed "gce-cifar10.csv"
    , 0}},
    {"peer", (const char[]){
#embed "peer.toml"
    , 0}, (const char[]){
#embed "peer.csv"
    , 0}},
    {"dmi", (const char[]){
#embed "dmi.toml"
    , 0}, (const char[]){
#embed "dmi.csv"
    , 0}},
    {"cifarn", (const char[]){
#embed "cifarn.toml"
    , 0}, (const char[]){
#embed "cifarn.csv"
    , 0}},
    {"co-teaching", (const char[]){
#embed "co-teaching.toml"
    , 0}, (const char[]){
#embed "co-teaching.csv"
    , 0}},
    {"co-teaching-selection", (const char[]){
#embed "co-teaching-selection.toml"
    , 0}, (const char[]){
#embed "co-teaching-selection.csv"
    , 0}},
    {"marvel", (const char[]){
#embed "marvel.toml"
    , 0}, (const char[]){
#embed "marvel.csv"
    , 0}},
    {"mixup", (const char[]){
#embed "mixup.toml"
    , 0}, (const char[]){
#embed "mixup.csv"
    , 0}},
    {"elr", (const char[]){
#embed "elr.toml"
    , 0}, (const char[]){
#embed "elr.csv"
    , 0}},
    {"rdi", (const char[]){
#embed "rdi.toml"
    , 0}, (const char[]){
#embed "rdi.csv"
    , 0}},
    {"aux", (const char[]){
#embed "aux.toml"
    , 0}, (const char[]){
#embed "aux.csv"
    , 0}},
    {"car", (const char[]){
#embed "car.toml"
    , 0}, (const char[]){
#embed "car.csv"
    , 0}},
    {"self", (const char[]){
#embed "self.toml"
    , 0}, (const char[]){
#embed "self.csv"
    , 0}},
    {"adaptive-loss", (const char[]){
#embed "adaptive-loss.toml"
    , 0}, (const char[]){
#embed "adaptive-loss.csv"
    , 0}},
    {"mutual", (const char[]){
#embed "mutual.toml"
    , 0}, (const char[]){
#embed "mutual.csv"
    , 0}},
    {"dividemix", (const char[]){
#embed "dividemix.toml"
    , 0}, (const char[]){
#embed "dividemix.csv"
    , 0}},
    {"grafting", (const char[]){
#embed "grafting.toml"
    , 0}, (const char[]){
#embed "grafting.csv"
    , 0}},
    {"dgd", (const char[]){
#embed "dgd.toml"
    , 0}, (const char[]){
#embed "dgd.csv"
    , 0}},
    {"co-training", (const char[]){
#embed "co-training.toml"
    , 0}, (const char[]){
#embed "co-training.csv"
    , 0}},
    {"asymmetric", (const char[]){
#embed "asymmetric.toml"
    , 0}, (const char[]){
#embed "asymmetric.csv"
    , 0}},
    {"asymmetric-clusters", (const char[]){
#embed "asymmetric-clusters.toml"
    , 0}, (const char[]){
#embed "asymmetric-clusters.csv"
    , 0}},
    {0, 0, 0}};

const gpunoisy_table *gpunoisy_tables(void) { return tables; }
