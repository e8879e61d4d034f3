"""Where a trial and the literature differ, or seem to, and why we think so; written after the full runs, by claim."""

DISCUSSIONS: dict[str, str] = {
    "A1": "The issue in TensorFlow is right about smaller scales: the variance of pixels × 0.001 is still above "
    "epsilon for about half of them; divided by another ten it would be for none. Without BN raw pixels leave "
    "the network guessing at this learning rate.",
    "A2": "Garbin et al. got the lowest accuracy of their multilayer perceptron with BN, we do not: after 15 epochs "
    "it is ahead at the learning rate 0.01, and at 0.1 a tenth of a point behind, less than counts. Bjorck et al. "
    "found it the other way round, the same accuracy at small rates and a gain from the large ones that BN allows. We "
    "think that their networks, far deeper, did not bear large rates without BN, while ours bears 0.1; and that at "
    "0.01 the network without BN, being slower, is not done after 15 epochs. The networks and training of both were "
    "others, and we have not repeated them.",
    "A3": "As Yang et al. found, BN itself makes the gradients of deep ReLU networks grow from layer to layer, and "
    "as they found the range falls as training goes on; 30 tanh layers fare alike at initialization. The statement "
    "holds for sigmoids, whose gradients vanish without BN. He normal keeps the gradients of ReLU networks even at "
    "30 layers without BN, and Glorot normal those of tanh, so there is nothing to win there.",
    "A4": "As Ioffe and Szegedy say, BN allows less careful initialization: it lifts the worst choice, ReLU with "
    "weights of standard deviation 5, from a guess to 77 %. But the choice stays important: in these few epochs such "
    "weights cost 12 to 19 points against He normal with any of the activations, those of standard deviation 1 cost "
    "11 to 18, and with He normal a sigmoid ends 5 points below a ReLU.",
    "A5": "As Santurkar et al. found, the shift is no smaller with BN: in the notebook's own pair and at the rate 0.01 "
    "it is larger, though only once by so much that it surely counts. At the rate 0.1 it is too uneven from seed to "
    "seed to say even whether. That noise after BN still leaves it ahead we find at the rate 0.01 only: at 0.1 the "
    "network without BN is as good, so that there is no lead to lose.",
    "D4": "Garbin et al. measured over 80 % more time; we measure some 60 % more for the notebook's network, which "
    "normalizes the 784 inputs too, and less than a tenth where BN stands before the hidden activations alone. Our "
    "steps are compiled as a whole, which fuses BN's arithmetic with its neighbours'.",
    "W1": "That 20 and 30 ReLU layers learn worse with BN than without agrees with the gradients which Yang et al. "
    "found to explode (see A3). Deep sigmoid networks do need BN: from 3 layers on nothing is learned without it. But "
    "that is so at 3 and 10 layers as well, and what decides here, the mean of 1, 3 and 10, is low because a single "
    "layer does without. Against 10 layers alone the gain of 20 and 30 sigmoid layers is less than a point more "
    "on average, which would not count. We know of no finding that sets 10 apart, and see none.",
    "W2": "Garbin et al. got the lowest accuracy of their multilayer perceptron with BN; here BN adds as much to the "
    "dense network as to the convolutional one at the rate 0.01, and little to either at 0.1. Their network and "
    "training were others, and we have not repeated them.",
}
