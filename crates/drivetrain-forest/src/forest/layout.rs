//! Where the nodes of a drawn tree go.
//!
//! Subtrees of the same shape are drawn the same, a parent stands midway above its children, and subtrees are as close
//! as their outlines let them be: Reingold, E. M., Tilford, J. S. (1981), Tidier drawings of trees,
//! doi:10.1109/TSE.1981.234519. Time and memory grow with the number of nodes, whatever the depth, and nothing recurs.

/// How far a subtree reaches to the left and to the right of its root, for each level.
#[derive(Debug, Default)]
struct Outline {
    /// Less the `shift`; the deepest level first, so that a root goes to the end.
    sides: Vec<[f64; 2]>,
    shift: f64,
}

impl Outline {
    fn level(&self, level: usize) -> [f64; 2] {
        self.sides[self.sides.len() - 1 - level].map(|side| side + self.shift)
    }

    fn set(&mut self, level: usize, sides: [f64; 2]) {
        let place = self.sides.len() - 1 - level;
        self.sides[place] = sides.map(|side| side - self.shift);
    }

    fn push_root(mut self) -> Self {
        self.sides.push([-self.shift; 2]);
        self
    }

    /// Of two subtrees side by side, their roots as far from the middle as is returned.
    fn beside(mut self, mut right: Self) -> (Self, f64) {
        let common = self.sides.len().min(right.sides.len());
        let overlap = |level: usize| self.level(level)[1] - right.level(level)[0];
        let half = f64::midpoint((0..common).map(overlap).fold(f64::MIN, f64::max), 1.0);
        self.shift -= half;
        right.shift += half;
        let outer: Vec<_> = (0..common).map(|level| [self.level(level)[0], right.level(level)[1]]).collect();
        let mut both = if self.sides.len() > right.sides.len() { self } else { right };
        for (level, sides) in outer.into_iter().enumerate() {
            both.set(level, sides);
        }
        (both, half)
    }
}

/// For each node how far to the right of the leftmost one it stands, in steps of the least distance between two.
///
/// `children` has the two children of each node, if it has them, which come after their parents.
pub(super) fn positions(children: &[Option<[usize; 2]>]) -> Vec<f64> {
    let mut outlines: Vec<Outline> = children.iter().map(|_| Outline::default()).collect();
    let mut offsets = vec![0.0; children.len()];
    for (node, children) in children.iter().enumerate().rev() {
        let below = match *children {
            None => Outline::default(),
            Some([left, right]) => {
                let [first, second] = [left, right].map(|child| std::mem::take(&mut outlines[child]));
                let (both, half) = first.beside(second);
                (offsets[left], offsets[right]) = (-half, half);
                both
            }
        };
        outlines[node] = below.push_root();
    }
    for (node, children) in children.iter().enumerate() {
        for &child in children.iter().flatten() {
            offsets[child] += offsets[node];
        }
    }
    let leftmost = offsets.iter().copied().fold(f64::INFINITY, f64::min);
    offsets.iter().map(|offset| offset - leftmost).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parents_stand_in_the_middle_and_subtrees_close_together() {
        assert_eq!(positions(&[None]), [0.0]);
        assert_eq!(positions(&[Some([1, 2]), None, None]), [0.5, 0.0, 1.0]);
        // A leaf beside a split with two leaves: they share no level but the first.
        assert_eq!(positions(&[Some([1, 2]), None, Some([3, 4]), None, None]), [0.5, 0.0, 1.0, 0.5, 1.5]);
    }

    #[test]
    fn a_chain_of_a_million_splits_is_laid_out() {
        let n_splits = 1_000_000;
        // The root; then, of each pair, a split but for the last, and a leaf.
        let mut children = vec![Some([1, 2])];
        children.extend(
            (1..=n_splits).flat_map(|split| [(split < n_splits).then_some([2 * split + 1, 2 * split + 2]), None]),
        );
        let positions = positions(&children);
        assert_eq!(positions.len(), 2 * n_splits + 1);
        assert_eq!(positions[0], n_splits as f64 / 2.0);
    }

    proptest! {
        #[test]
        fn no_two_nodes_of_a_level_are_closer_than_a_step(choices in prop::collection::vec(any::<bool>(), 1..200)) {
            // Level by level: each node that is chosen gets two children at the end.
            let mut children = vec![None];
            let mut levels = vec![0_usize];
            for node in 0..choices.len() {
                if node < children.len() && choices[node] {
                    let next = children.len();
                    children[node] = Some([next, next + 1]);
                    children.extend([None, None]);
                    levels.extend([levels[node] + 1; 2]);
                }
            }
            let positions = positions(&children);
            for level in 0..=levels[levels.len() - 1] {
                let row: Vec<f64> = (0..levels.len()).filter(|&node| levels[node] == level).map(|node| positions[node]).collect();
                prop_assert!(row.windows(2).all(|pair| pair[1] - pair[0] >= 1.0), "{row:?}");
            }
            for (node, children) in children.iter().enumerate() {
                if let &Some([left, right]) = children {
                    prop_assert_eq!(positions[node], f64::midpoint(positions[left], positions[right]));
                }
            }
        }
    }
}
