//! Which features a node may split on: drawn without replacement, constant ones remembered.

/// A small generator for the many draws of a tree, seeded from the tree's stream.
///
/// Source: Steele, G. L., Lea, D., Flood, C. H. (2014), Fast splittable pseudorandom number
/// generators, doi:10.1145/2660193.2660195.
#[derive(Debug)]
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A uniform draw of 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.next()
    }

    /// A uniform draw from 0 up to but not including 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A draw from `low..high`, as good as uniform: features are fewer than 2^32.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + (((self.next() >> 32) * (high - low) as u64) >> 32) as usize
    }
}

/// The features in an order that changes with every draw; those known to be constant come first.
///
/// Source: `node_split_best` of scikit-learn.
#[derive(Debug, Clone)]
pub(super) struct Features {
    order: Vec<u32>,
    /// The constant features in the order in which the nodes above found them.
    constant: Vec<u32>,
}

/// One node's draws.
#[derive(Debug)]
pub(super) struct Draw {
    n_known: usize,
    n_drawn_constant: usize,
    n_found_constant: usize,
    n_visited: usize,
    end: usize,
}

/// The features yet to be drawn for a node.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    pub(super) features: &'a mut Features,
    pub(super) draw: &'a mut Draw,
    pub(super) max_features: usize,
    pub(super) random: &'a mut SplitMix64,
}

impl Drawing<'_> {
    /// Draws all of them: those that are not constant, in the order drawn.
    pub(super) fn all(&mut self, varies: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut drawn = Vec::new();
        while let Some(place) = self.features.draw(self.draw, self.max_features, self.random) {
            let feature = self.features.at(place);
            if varies(feature) {
                drawn.push(feature);
                self.features.is_searched(self.draw, place);
            } else {
                self.features.is_constant(self.draw, place);
            }
        }
        drawn
    }
}

impl Features {
    pub(super) fn new(n_features: u32) -> Self {
        Self { order: (0..n_features).collect(), constant: vec![0; n_features as usize] }
    }

    pub(super) fn n_features(&self) -> usize {
        self.order.len()
    }

    /// Forgets what earlier trees did to the order.
    pub(super) fn reset(&mut self) {
        self.order.sort_unstable();
    }

    /// Begins the draws of a node below which the first `n_constant` features are constant.
    pub(super) fn begin(&self, n_constant: usize) -> Draw {
        Draw { n_known: n_constant, n_drawn_constant: 0, n_found_constant: 0, n_visited: 0, end: self.order.len() }
    }

    /// The next feature that is not known to be constant, as its place in the order; none when
    /// `max_features` were visited, at least one of them not constant, or when none are left.
    pub(super) fn draw(&mut self, draw: &mut Draw, max_features: usize, random: &mut SplitMix64) -> Option<usize> {
        while draw.end > draw.n_known + draw.n_found_constant
            && (draw.n_visited < max_features || draw.n_visited <= draw.n_found_constant + draw.n_drawn_constant)
        {
            draw.n_visited += 1;
            let place = random.between(draw.n_drawn_constant, draw.end - draw.n_found_constant);
            if place < draw.n_known {
                self.order.swap(draw.n_drawn_constant, place);
                draw.n_drawn_constant += 1;
                continue;
            }
            return Some(place + draw.n_found_constant);
        }
        None
    }

    pub(super) fn at(&self, place: usize) -> u32 {
        self.order[place]
    }

    /// The feature drawn last, at `place`, turned out to be constant in this node.
    pub(super) fn is_constant(&mut self, draw: &mut Draw, place: usize) {
        self.order.swap(draw.n_known + draw.n_found_constant, place);
        draw.n_found_constant += 1;
    }

    /// The feature drawn last, at `place`, was searched.
    pub(super) fn is_searched(&mut self, draw: &mut Draw, place: usize) {
        draw.end -= 1;
        self.order.swap(draw.end, place);
    }

    /// Ends the draws; the number of features now known to be constant.
    pub(super) fn end(&mut self, draw: &Draw) -> usize {
        let n_constant = draw.n_known + draw.n_found_constant;
        self.order[..draw.n_known].copy_from_slice(&self.constant[..draw.n_known]);
        self.constant[draw.n_known..n_constant].copy_from_slice(&self.order[draw.n_known..n_constant]);
        n_constant
    }

    /// The features that are not known to be constant.
    pub(super) fn varying(&self, n_constant: usize) -> &[u32] {
        &self.order[n_constant..]
    }
}
