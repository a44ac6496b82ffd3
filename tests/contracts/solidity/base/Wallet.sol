// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A party that is a contract, and as hostile as a test wants it.
contract Wallet {
    enum Mode {
        Accept,
        Refuse,
        Burn,
        Bomb,
        Reenter,
        NeedsGas
    }

    Mode public mode;
    address public target;
    bytes public call;
    uint256 public reentered;
    uint256 public refused;
    bytes public answer;

    receive() external payable {
        uint256 gas = gasleft();
        if (mode == Mode.Refuse) revert("no thanks");
        if (mode == Mode.Burn) while (true) {}
        if (mode == Mode.Bomb) {
            assembly {
                revert(0, 100000)
            }
        }
        if (mode == Mode.Reenter) {
            (bool done,) = target.call(call);
            if (done) ++reentered;
            else ++refused;
        }
        // A good receiver that needs all of what a payout grants.
        if (mode == Mode.NeedsGas && gas < 51_000) revert("too little gas");
    }

    function behave(Mode mode_) external {
        mode = mode_;
    }

    function reenter(address target_, bytes calldata call_) external {
        mode = Mode.Reenter;
        target = target_;
        call = call_;
    }

    function sign(bytes calldata answer_) external {
        answer = answer_;
    }

    /// @notice ERC-1271, with whatever answer the test set.
    function isValidSignature(bytes32, bytes calldata) external view {
        bytes memory said = answer;
        assembly {
            return(add(said, 32), mload(said))
        }
    }

    function execute(address to, uint256 value, bytes calldata data) external returns (bytes memory) {
        (bool done, bytes memory result) = to.call{value: value}(data);
        if (!done) {
            assembly {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }
}
